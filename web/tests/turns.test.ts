// A conversation as a tree: nothing is lost, and every branch can be come back to.
import { describe, expect, it } from 'vitest';
import {
  addTurn,
  changeTurn,
  chooseTurn,
  interruptGrowing,
  lineTo,
  newConversation,
  pathOf,
  removeTurn,
  siblingsOf,
  titleFrom,
  type Conversation,
  type Role,
  type Turn,
} from '../src/talk/turns';

let at = 0;
const turn = (id: string, parent: string | null, role: Role = 'user'): Turn => ({
  id,
  parent,
  role,
  text: id,
  created: ++at,
  state: 'done',
});
const build = (...turns: [string, string | null][]): Conversation =>
  turns.reduce((conversation, [id, parent]) => addTurn(conversation, turn(id, parent)), newConversation('c', 0));
const shown = (conversation: Conversation): string =>
  pathOf(conversation)
    .map((one) => one.id)
    .join(' ');

describe('the tree of turns', () => {
  const tree = build(
    ['q1', null],
    ['a1', 'q1'],
    ['q2', 'a1'],
    ['a2', 'q2'],
    ['a1b', 'q1'],
    ['q3', 'a1b'],
    ['q1b', null],
  );

  it('shows what was added last', () => expect(shown(tree)).toBe('q1b'));

  it('goes back to a branch, and comes back to where one was in it', () => {
    expect(shown(chooseTurn(tree, 'q1'))).toBe('q1 a1b q3');
    const other = chooseTurn(tree, 'a1');
    expect(shown(other)).toBe('q1 a1 q2 a2');
    expect(shown(chooseTurn(chooseTurn(other, 'q1b'), 'q1'))).toBe('q1 a1 q2 a2');
    expect(shown(chooseTurn(tree, 'a2'))).toBe('q1 a1 q2 a2');
  });

  it('knows the siblings in the order they were made', () => {
    expect(
      siblingsOf(
        tree,
        tree.turns.find((one) => one.id === 'a1b')!,
      ),
    ).toEqual({ ids: ['a1', 'a1b'], index: 1 });
    expect(siblingsOf(tree, tree.turns[0]!)).toEqual({ ids: ['q1', 'q1b'], index: 0 });
  });

  it('removes a turn with all that follows, and shows its neighbour', () => {
    expect(shown(removeTurn(chooseTurn(tree, 'a1'), 'a1'))).toBe('q1 a1b q3');
    expect(removeTurn(tree, 'a1').turns.map((one) => one.id)).toEqual(['q1', 'a1b', 'q3', 'q1b']);
    expect(shown(removeTurn(tree, 'q1b'))).toBe('q1 a1b q3');
    expect(shown(removeTurn(build(['q', null]), 'q'))).toBe('');
  });

  it('leaves what it was given as it was', () => {
    const before = JSON.stringify(tree);
    chooseTurn(tree, 'a1');
    removeTurn(tree, 'q1');
    changeTurn(tree, 'a1', { text: 'x' });
    addTurn(tree, turn('new', 'a2'));
    expect(JSON.stringify(tree)).toBe(before);
  });

  it('refuses a turn without its parent, and a second one of the same id', () => {
    expect(addTurn(tree, turn('lost', 'nowhere'))).toBe(tree);
    expect(addTurn(tree, turn('q1', null))).toBe(tree);
    expect(changeTurn(tree, 'nowhere', { text: 'x' })).toBe(tree);
    expect(chooseTurn(tree, 'nowhere')).toBe(tree);
  });

  it('shows a whole path for every turn that is chosen', () => {
    for (const one of tree.turns) {
      const path = pathOf(chooseTurn(tree, one.id)).map((other) => other.id);
      expect(path.slice(0, lineTo(tree, one.id).length)).toEqual(lineTo(tree, one.id).map((other) => other.id));
    }
  });

  it('marks what was growing when the page went away', () => {
    const growing = changeTurn(tree, 'a2', { state: 'growing' });
    expect(interruptGrowing(growing).turns.find((one) => one.id === 'a2')!.state).toBe('interrupted');
    expect(interruptGrowing(tree)).toBe(tree);
  });
});

describe('titles', () => {
  it('are the first line, short and plain', () => {
    expect(titleFrom('\n## 你好   世界\nmore')).toBe('你好 世界');
    expect([...titleFrom('字'.repeat(80))]).toHaveLength(42);
    expect(titleFrom('👩‍👩‍👧'.repeat(3))).toBe('👩‍👩‍👧'.repeat(3));
    expect(titleFrom('   ')).toBe('');
  });
});
