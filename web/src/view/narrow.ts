// Whether the window is so narrow that the conversations slide over the talk; the same width as in style/layout.css.
import { useEffect, useState } from 'preact/hooks';

const kNarrow = '(max-width: 50rem)';

export const isNarrow = (): boolean => matchMedia(kNarrow).matches;

export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(isNarrow);
  useEffect(() => {
    const query = matchMedia(kNarrow);
    const look = (): void => setNarrow(query.matches);
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  }, []);
  return narrow;
}
