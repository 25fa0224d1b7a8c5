/** The choice of colours and language, at the foot of every page. */
import { language, languages, useWords } from '../words/words.ts';
import { type Preferences, preferences } from './preferences.ts';

const themes: Preferences['theme'][] = ['system', 'light', 'dark'];

export function PreferencesBar() {
  const words = useWords();
  const { theme } = preferences.snapshot();
  return (
    <footer className="preferences">
      <label>
        <span>{words.theme}</span>
        <select
          value={theme}
          onChange={({ target }) =>
            preferences.choose({ theme: themes.find((one) => one === target.value) ?? 'system' })
          }
        >
          {themes.map((one) => (
            <option key={one} value={one}>
              {words.themes[one]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{words.language}</span>
        <select value={language()} onChange={({ target }) => preferences.choose({ language: target.value })}>
          {Object.entries(languages).map(([tag, name]) => (
            <option key={tag} value={tag} lang={tag}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </footer>
  );
}
