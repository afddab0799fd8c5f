// Answers chosen by words in the last message: what the scripted server says, and what the browser's tests have the real
// one say.
const kScripts = {
  table:
    '下面是三种常见的排序方法：\n\n| 方法 | 平均时间 | 稳定 |\n|:--|--:|:-:|\n| 归并排序 | $O(n \\log n)$ | 是 |\n| 快速排序 | $O(n \\log n)$ | 否 |\n| 插入排序 | $O(n^2)$ | 是 |\n\n数据很少时，**插入排序**往往最快。',
  math: 'A quadratic equation $ax^2 + bx + c = 0$ has the solutions\n\n$$x_{1,2} = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}$$\n\nand the area under a bell curve is \\(\\int_{-\\infty}^{\\infty} e^{-x^2}\\,dx = \\sqrt{\\pi}\\). It costs $5 or $6.',
  code: 'A small program:\n\n```python\nfrom pathlib import Path\n\ndef rename(folder: str) -> int:\n    """Counts what it renamed."""\n    count = 0\n    for photo in sorted(Path(folder).glob("*.jpg")):  # by name\n        photo.rename(photo.with_stem(f"photo-{count:03}"))\n        count += 1\n    return count\n```\n\nCall it with the name of the folder.',
  xss: 'Look: <img src=x onerror="window.hacked=1"> <script>window.hacked=1</script> [click](javascript:window.hacked=1) ![far](https://example.com/track.png?secret=1) <style>body{display:none}</style>',
};
// Other words that call for the same script.
const kWords = { table: ['表格'], math: ['quadratic'], code: ['rename'], xss: [] };
const kPoem = '墨在石上慢慢化开，\n\n像夜色渗进一条河。\n\n'.repeat(12);

export function scriptFor(messages, tools) {
  const last = messages.at(-1);
  const text = typeof last.content === 'string' ? last.content : '';
  if (last.role === 'tool') return { text: `The tool says: **${text}**.` };
  if (last.role === 'assistant') return { text: ' — and so it ends.' };
  const has = (...words) => words.some((word) => text.toLowerCase().includes(word));
  if (has('tool', '工具', '燈', '灯', 'lamp')) {
    const name = tools?.find((tool) => tool.function.name !== 'clock')?.function.name ?? 'set_light_brightness';
    const call =
      name === 'calculator'
        ? { expression: '(12.5 + 3) * 4' }
        : { room: text.includes('客廳') ? '客廳' : '客厅', percent: 40, colour: 'warm white' };
    return { text: '', calls: [{ name, arguments: JSON.stringify(call) }] };
  }
  for (const [name, words] of Object.entries(kWords)) if (has(name, ...words)) return { text: kScripts[name] };
  if (has('long') || has('slow')) return { text: kPoem, pause: has('slow') ? 40 : 8 };
  if (has('broken')) return { text: 'This answer will not', broken: true };
  if (has('諗', '定係'))
    return {
      thinking: '行山要睇天氣，睇戲就幾時都得。\n',
      text: '如果**聽日冇雨**，我會揀行山：早啲出門，行條有樹蔭嘅路，帶夠水。\n\n- 落雨就睇戲，順便食個下晝茶\n- 唔想企太耐，揀平啲嘅山徑',
    };
  if (has('坚持', '思考'))
    return {
      thinking: '先分清想写什么，再看每天有多少时间。\n',
      text: '把目标定小：**每天五分钟**，写完一段就停。固定在同一个时间，比如早饭之后；漏了一天不必补，第二天照常写。',
    };
  if (has('think'))
    return {
      thinking: 'First I look at what is asked.\nThen I weigh two ways to say it.\n',
      text: 'Having thought about it: **yes**. Take a small step first, then look at the result.',
    };
  if (has('file:')) return { text: `The file has ${text.split('\n').length} lines.` };
  return null;
}
