/**
 * The events' types in plain words. In the sources they follow from schemas, whose library a client neither has nor needs: here the
 * compiler is asked what they come to.
 */
import { join } from 'node:path';
import ts from 'typescript';

/** A module that stands in for `src/domain/catalog.ts`. */
export function eventTypes(root) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const file = join(root, 'src/domain/catalog.ts');
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(source));
  const data = checker.getDeclaredTypeOfSymbol(exported.find(({ name }) => name === 'EventData'));
  const fields = data.getProperties().map((property) => {
    const type = checker.typeToString(
      checker.getTypeOfSymbol(property),
      undefined,
      ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias,
    );
    return `  '${property.name}': ${type};`;
  });
  return `export interface EventData {\n${fields.join('\n')}\n}\nexport type EventType = keyof EventData;\n`;
}
