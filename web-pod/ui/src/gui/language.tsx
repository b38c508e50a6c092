import { LANGUAGES, type Language, language, speak, words } from '../words/index.ts';
import { Icon } from './icon.tsx';

export function LanguageChoice() {
  return (
    <label class="language">
      <Icon name="globe" />
      <span class="hidden">{words.value.language}</span>
      <select value={language.value} onChange={(event) => speak(event.currentTarget.value as Language)}>
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
