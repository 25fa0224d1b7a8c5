/** Asks for the data folders that it is told of; says whether it has each. Its parent ends it. */
import { dataFolder, FolderInUse } from '../../src/dataFolder.ts';

process.on('message', async (path: string) => {
  try {
    await dataFolder(path, true);
    process.send?.('had');
  } catch (error) {
    process.send?.(error instanceof FolderInUse ? 'refused' : String(error));
  }
});
process.send?.('ready');
