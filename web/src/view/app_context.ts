// What every view can reach: the state, what can be done, and the words.
import { createContext } from 'preact';
import { useContext, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Actions } from '../state/actions';
import type { State } from '../state/state';
import type { Store } from '../state/store';
import type { Talking } from '../state/talking';
import { chooseLanguage, formatter, translator, type Format, type Language, type Translate } from '../words/words';

export interface App {
  store: Store<State>;
  talking: Talking;
  actions: Actions;
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error('a view outside of the page');
  return app;
}

// Draws again when what `select` returns has changed.
export function useSelected<T>(select: (state: State) => T): T {
  const { store } = useApp();
  const [, redraw] = useState(0);
  const selected = select(store.state);
  const shown = useRef({ select, selected });
  shown.current = { select, selected };
  useLayoutEffect(() => {
    const look = (): void => {
      if (!Object.is(shown.current.select(store.state), shown.current.selected)) redraw((n) => n + 1);
    };
    look(); // it may have changed between drawing and now
    return store.subscribe(look);
  }, [store]);
  return selected;
}

export interface Speech {
  language: Language;
  t: Translate;
  format: Format;
}

export function useSpeech(): Speech {
  const chosen = useSelected((state) => state.settings.language);
  return useMemo(() => {
    const language = chosen === 'auto' ? chooseLanguage(navigator.languages) : chosen;
    return { language, t: translator(language), format: formatter(language) };
  }, [chosen]);
}
