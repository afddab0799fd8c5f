// The turns that are shown, the end kept in view while an answer grows (unless a person has scrolled up to read), and
// what a screen reader hears of it.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { Announcer } from '../markdown/announce';
import { currentConversation } from '../state/state';
import { pathOf, siblingsOf, type Conversation, type Turn } from '../talk/turns';
import { useApp, useSelected, useSpeech } from './app_context';
import { DownIcon } from './icons';
import { siblingText, TurnView } from './turn_view';
import { Welcome } from './welcome';

export function Thread(): JSX.Element {
  const conversation = useSelected(currentConversation);
  const { t } = useSpeech();
  const path = useMemo(() => (conversation ? pathOf(conversation) : []), [conversation]);
  const isBusy = useSelected((state) => state.current !== null && state.current in state.running);
  const { place, isAway, toEnd } = useEnd(conversation?.id ?? '', path, isBusy);
  const shown = path.filter((turn) => turn.role !== 'tool');
  return (
    <div class="thread-frame">
      <div class="thread" ref={place} tabIndex={-1}>
        {conversation && path.length > 0 ? (
          <ol class="turns" aria-label={t('thread.label')}>
            {shown.map((turn, index) => (
              <TurnView
                key={turn.id}
                conversation={conversation.id}
                turn={turn}
                siblingIds={siblingText(siblingsOf(conversation, turn))}
                results={resultsOf(turn, path)}
                isBusy={isBusy}
                isLast={index === shown.length - 1}
              />
            ))}
          </ol>
        ) : (
          <Welcome />
        )}
      </div>
      {isAway && (
        <button type="button" class="to-end" aria-label={t('thread.end')} title={t('thread.end')} onClick={toEnd}>
          <DownIcon />
        </button>
      )}
      {conversation && <Heard conversation={conversation} path={path} />}
    </div>
  );
}

function resultsOf(turn: Turn, path: Turn[]): string {
  if (!turn.calls?.length) return '{}';
  const ids = new Set(turn.calls.map((call) => call.id));
  return JSON.stringify(
    Object.fromEntries(
      path.filter((one) => one.callId !== undefined && ids.has(one.callId)).map((one) => [one.callId!, one.text]),
    ),
  );
}

const kNearPx = 80; // this close to the end counts as being there

function useEnd(
  conversation: string,
  path: Turn[],
  isBusy: boolean,
): { place: { current: HTMLDivElement | null }; isAway: boolean; toEnd(): void } {
  const place = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const [isAway, setAway] = useState(false);
  const last = path.at(-1);
  const toEnd = (): void => {
    follows.current = true;
    setAway(false);
    place.current?.scrollTo({ top: place.current.scrollHeight });
  };
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const onScroll = (): void => {
      const isNear = element.scrollHeight - element.scrollTop - element.clientHeight < kNearPx;
      follows.current = isNear;
      setAway(!isNear);
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => element.removeEventListener('scroll', onScroll);
  }, []);
  useLayoutEffect(toEnd, [conversation]);
  const asked = path.filter((turn) => turn.role === 'user').length;
  useLayoutEffect(toEnd, [asked]);
  useLayoutEffect(() => {
    if (follows.current) place.current?.scrollTo({ top: place.current.scrollHeight });
  }, [last, isBusy]);
  return { place, isAway, toEnd };
}

// A live region that gets whole paragraphs, at most every two seconds.
function Heard({ conversation, path }: { conversation: Conversation; path: Turn[] }): JSX.Element {
  const { t } = useSpeech();
  const { store } = useApp();
  const [heard, setHeard] = useState<string[]>([]);
  const growing = path.at(-1)?.state === 'growing' ? path.at(-1)!.id : null;
  useEffect(() => {
    if (growing === null) return;
    const announcer = new Announcer(t('live.code'));
    setHeard([t('live.begin')]);
    const turnNow = (): Turn | undefined =>
      store.state.conversations[conversation.id]?.turns.find((turn) => turn.id === growing);
    const say = (ended: boolean): void => {
      const text = announcer.next(turnNow()?.text ?? '', ended);
      if (text !== '') setHeard((before) => [...before.slice(-4), text]);
    };
    const timer = setInterval(() => say(false), 2000);
    return () => {
      clearInterval(timer);
      say(true);
      const how = turnNow()?.state === 'stopped' ? 'live.stopped' : 'live.end';
      setHeard((before) => [...before, t(how)]);
    };
  }, [growing]);
  return (
    <div class="unseen" aria-live="polite" aria-relevant="additions">
      {heard.map((text, index) => (
        <p key={`${index}${text}`}>{text}</p>
      ))}
    </div>
  );
}
