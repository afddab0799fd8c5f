"""Mixed Chinese and English text for the tokenizer benchmark, the same bytes at every run.

usage: make_text.py TOKENIZER_JSON CASES_JSONL OUT [MEGABYTES]

Natural text is not available without a download, and one sentence repeated would flatter any cache. So a
document mixes three sources: sentences of the grammar below (half Chinese, half English), sentences of
words drawn from the tokenizer's own vocabulary by Zipf's law (ids are roughly in order of frequency; every
fourth English word gets an ending, so that it is seldom one token), and texts of the golden cases
(Cantonese, code, numbers, emoji, other scripts).
"""

import gzip
import json
import random
import re
import sys

SEPARATOR = "\n\f\n"
CASE_GROUPS = {"mandarin", "cantonese", "english", "languages", "code", "numbers", "emoji", "mixed"}

ENGLISH = {
    "who": "the engineer|my sister|our neighbour|a young teacher|the committee|nobody|the old librarian|Dr. Chen|"
    "the whole village|a visitor from Lisbon|the night nurse|his grandmother|the company's founder|Maria|two students|"
    "the harbour master|an anonymous reviewer|the translator|their youngest son|the retired pilot",
    "did": "noticed|explained|wrote down|argued|remembered|didn't believe|announced|suspected|couldn't say|calculated|"
    "reported|had forgotten|kept repeating|finally admitted|would've preferred|measured|denied|showed",
    "what": "that the last train had already left|how the lights are switched off at night|why the results weren't the same|"
    "that it's cheaper to repair than to replace|where the missing documents might be|that rain was expected before noon|"
    "how much memory a model of that size needs|that you're supposed to boil the water twice|"
    "which of the three bridges was closed|that the museum opens at half past nine|how slowly the glacier had moved|"
    "that nobody had answered the telephone since Thursday|that we'd need a longer cable|"
    "why the garden looked different in autumn|that the meeting couldn't be postponed again|"
    "what a difference a good dictionary makes|that the soup needed salt, pepper and a little patience",
    "tail": "|, although it was late|, and then went home|; still, we'll see|, as far as I know|, according to page 217|"
    " (see the appendix for details)|, which surprised everyone in the room|, in spite of the noise outside|"
    ", e.g. on Sundays|, for about 40% of the cases|, at 7:45 a.m. sharp|, if the weather doesn't change",
    "end": ".|.|.|.|?|!|...|:",
}  # fmt: skip
CHINESE = {
    "who": "工程师|我的同事|那位老先生|她的母亲|整个研究小组|附近的居民|一位年轻的医生|老师和学生们|这家公司的创始人|"
    "刚来的实习生|图书馆管理员|外地来的游客|他的邻居|编辑部|负责人王女士|几个孩子|出租车司机|我们的翻译",
    "when": "昨天下午|上个星期|去年冬天|早上七点半|会议结束以后|在回家的路上|下雨之前|春节期间|二〇一九年|刚才|"
    "很久以前|第二天一早|每逢周末|临近毕业的时候",
    "did": "发现|告诉大家|没有想到|一直认为|在报告里写道|终于承认|反复强调|怀疑|听说|计算出|提醒我们|并不知道|忘记了",
    "what": "最后一班地铁已经开走了|房间里的灯还亮着|这个问题比想象中复杂得多|数据和结论并不一致|附近新开了一家书店|"
    "那座桥需要重新修建|人工智能正在改变人们的生活方式|水烧开之后还要再等五分钟|菜市场的价格又涨了百分之八|"
    "文件放在第三个抽屉里|春天的花园和秋天完全不同|这台机器的内存只有十六吉字节|博物馆星期一不开放|"
    "山上的雪到五月才会融化|电话一直没有人接|多喝热水也许有用，但不能代替医生的建议|模型越大，所需要的计算资源就越多",
    "tail": "|，虽然时间已经不早|，然后就离开了|，这让所有人都感到意外|（详见附录二）|，至少我是这么理解的|"
    "，尤其是在人多的地方|；不过结果还要等到下个月才知道|，比如说周末的晚上|，大约占总数的三分之一",
    "end": "。|。|。|。|？|！|……|：",
}  # fmt: skip
ENDINGS = ["s", "ed", "ing", "ness", "ably", "ation", "like", "-free", "'s", "er", "ville", "ology"]


def grammar_sentence(rng, rules):
    return "".join(
        rng.choice(rules[name].split("|")) + ("" if rules is CHINESE or name in ("what", "tail", "end") else " ")
        for name in rules
    )


def zipf_picker(words):
    weights, total = [], 0.0
    for rank in range(len(words)):
        total += 1.0 / (rank + 20)
        weights.append(total)
    return lambda rng, count: rng.choices(words, cum_weights=weights, k=count)


def vocabulary_words(tokenizer_json):
    opener = gzip.open if tokenizer_json.endswith(".gz") else open
    with opener(tokenizer_json, "rt", encoding="utf-8") as handle:
        vocabulary = json.load(handle)["model"]["vocab"]
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    byte_of = {chr(byte): byte for byte in kept}
    for index, byte in enumerate(byte for byte in range(256) if byte not in kept):
        byte_of[chr(0x100 + index)] = byte
    english, chinese = [], []
    for token, _ in sorted(vocabulary.items(), key=lambda item: item[1]):
        text = bytes(byte_of[letter] for letter in token).decode("utf-8", "replace")
        if re.fullmatch(r" [A-Za-z][a-z]{2,}", text):
            english.append(text)
        elif re.fullmatch(r"[\u4e00-\u9fff]+", text):
            chinese.append(text)
    return zipf_picker(english), zipf_picker(chinese)


def english_words(rng, pick):
    words = pick(rng, rng.randint(5, 18))
    words = [word + rng.choice(ENDINGS) if rng.random() < 0.25 else word for word in words]
    words = [word + "," if rng.random() < 0.08 else word for word in words]
    return "".join(words).strip().capitalize() + rng.choice([".", ".", ".", "?", "!", ";"])


def chinese_words(rng, pick):
    parts = ["".join(pick(rng, rng.randint(3, 9))) for _ in range(rng.randint(1, 4))]
    return "，".join(parts) + rng.choice("。。。？！；")


def document(rng, pick_english, pick_chinese, cases):
    lines = []
    for _ in range(rng.randint(3, 12)):
        sentences = []
        chinese = rng.random() < 0.55  # by bytes this is about half of each
        for _ in range(rng.randint(1, 7)):
            kind = rng.random()
            if kind < 0.45:
                sentences.append(grammar_sentence(rng, CHINESE if chinese else ENGLISH))
            elif kind < 0.9:
                sentences.append(chinese_words(rng, pick_chinese) if chinese else english_words(rng, pick_english))
            else:
                sentences.append(rng.choice(cases))
        text = ("" if chinese else " ").join(sentences)
        lines.append(text[:1].upper() + text[1:])
    return "\n\n".join(lines)


def make_text(tokenizer_json, cases_jsonl, size_bytes):
    rng = random.Random(20251123)
    pick_english, pick_chinese = vocabulary_words(tokenizer_json)
    with open(cases_jsonl, encoding="utf-8") as handle:
        rows = [json.loads(line) for line in handle]
    cases = [row["text"] for row in rows if row["group"] in CASE_GROUPS]
    documents, size = [], 0
    while size < size_bytes:
        documents.append(document(rng, pick_english, pick_chinese, cases))
        size += len(documents[-1].encode()) + len(SEPARATOR)
    return SEPARATOR.join(documents)


if __name__ == "__main__":
    megabytes = float(sys.argv[4]) if len(sys.argv) > 4 else 10
    text = make_text(sys.argv[1], sys.argv[2], megabytes * 1e6)
    with open(sys.argv[3], "w", encoding="utf-8", newline="") as handle:
        handle.write(text)
    print(f"{len(text.encode())} bytes, {len(text)} characters, {text.count(SEPARATOR) + 1} documents")
