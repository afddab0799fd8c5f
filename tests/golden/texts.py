"""Our own sentences: what the small tokenizer is trained on, and the hard cases it is tried with."""

TRAINING = """
把客厅的灯调暗一点，然后打开空调，温度设为二十六度。
请在明天早上七点叫我起床，不要太大声。
外面下雨了，记得带伞；晚上风很大，窗户也要关好。
这本书我已经看完了，故事讲的是一个孩子和一条河。
厨房里的灯还亮着，帮我关掉，好吗？
我们下个星期去看爷爷，他住在山脚下的小镇。
定一个十五分钟的计时器，面条快煮好了。
卧室太冷了，把温度调高两度，风速调低。
今天的会议改到下午三点半，地点不变。
唔該開咗廳嘅燈，跟住校冷氣去廿四度。
聽日朝早七點半嗌我起身，唔好咁大聲呀。
佢哋話今晚落雨，你記唔記得帶遮呀？
我哋等緊巴士，架車好耐都未嚟，攰到死。
呢個鐘唔啱，幫我較快五分鐘啦。
阿婆喺街市買咗兩斤菜心同埋一條魚。
啲餸凍晒，翻熱佢先至食啦，唔使急。
冇問題，我而家就熄咗房入面盞燈。
Turn the living room lights down a little, then switch on the air conditioner.
Please wake me at seven tomorrow morning, and don't make it too loud.
It's raining outside; remember to take an umbrella, and close the windows tonight.
I have finished the book that you've lent me, and I'd like another one.
Set a timer for fifteen minutes, because the noodles will be ready soon.
The bedroom is too cold: raise the temperature by two degrees and lower the fan.
We're going to visit grandfather next week; he lives in a small town near the hills.
They said that the meeting was moved to half past three, in the same room.
Could you tell me what the weather will be like in the evening?
The kitchen light is still on. Turn it off when nobody is there, please.
She'll arrive at the station at noon, so let's leave before eleven.
नमस्ते, आज मौसम कैसा है? कमरे की बत्ती बंद कर दीजिए।
मैं कल सुबह सात बजे उठना चाहता हूँ, और चाय पीना चाहता हूँ।
วันนี้อากาศดีมาก ช่วยเปิดหน้าต่างหน่อยได้ไหม
ช่วยปิดไฟในห้องนอนด้วยนะ แล้วเปิดพัดลมเบอร์สอง
for (int i = 0; i < count; ++i) { total += values[i]; }
def area(width, height):\n    return width * height\n
{"name": "set_light", "arguments": {"room": "living room", "level": 30}}
if temperature > 26.5 and not window_open: fan.start(speed=2)
""".strip().replace("\\n", "\n").split("\n")

CHINESE = [
    "你好", "灯", "把燈熄咗佢啦。", "今天天氣點呀？我想出去行下。", "价格：￥88.50（打九折）", "「記得帶遮」，佢話。", "２０２４年　全角",
    "的的的的的的的的", "𠮷野家 𨋢 𡃁 㗎 龘", "繁簡混雜：说說话話", "……——《书名》“引号”",
]  # fmt: skip
ENGLISH = [
    "Hello", "Hello, world!", "don't DON'T we've I'M they'LL it's'll 'tis o'clock", "turn off the lights", "  two  spaces   three", "snake_case CamelCase kebab-case",
    "naïve café jalapeño", "x'd'y'S ''s 's' '", "U.S.A. e.g. 3rd 1990's", "a\u017f it'\u017f K'\u212a",
]  # fmt: skip
OTHER = [
    "Привет, мир! Ещё чаю?", "Γειά σου", "مرحبا ١٢٣٫٤", "שָׁלוֹם", "नमस्ते क्षत्रिय १२", "สวัสดีครับ ๑๒", "こんにちは カタカナ ｶﾞ", "안녕하세요 ㄱㄴ", "Xin chào ằ ẵ ự",
    "İıĞğ ß ẞ", "Ⅷ ½ ² ③ 〇 𝟘", "𐌲𐌿𐍄 𒀀 𓀀 𝔘𝔫", "བོད་ཡིག မြန်မာ",
]  # fmt: skip
MARKS = [
    "e\u0301", "cafe\u0301 re\u0301sume\u0301", "A\u030a \u212b", "\u1112\u1161\u11ab", "\u304b\u3099\u306f\u309a", "q\u0307\u0323", "\u0301x \u0301", "n\u0303" * 9,
    "\u0958 \u0915\u093c", "\u2126 \u212a \uf900", "\u0344\u0374\u037e", "1\u20e3 2\u0301", "\ufb01 \u2460", "ạ\u0302 a\u0302\u0323",
]  # fmt: skip
PICTURES = ["😀😃", "👩‍💻👨‍👩‍👧", "👍🏽 ☝🏿", "🇭🇰🇹🇼 🇦", "1️⃣ ©️ ❤️❤", "🏳️‍🌈🚀x🙂"]
CODE = [
    "def f(x):\n\treturn x\n", "for (;;) { a[i] += b; }\r\n\r\n", "{\"a\": [1, -2.5e3, null], \"b\": \"\\n\"}", "a==b!=c&&d||e<<2>>=~f", "    \n        indented\n\n\n",
    "# 註解 comment\n#include <x.h>", "0x1F 1_000 192.168.0.1:80 v1.2-rc3", "```sh\nls -la | wc\n```", "<a href='x'>&amp;</a>",
]  # fmt: skip
ODD = [
    "", " ", "\n", "\t", "\r\n", "\x00a\x00", "\x7f\x80\x85", "\u00a0 \u3000\u2003", "\u200b\u200d\ufeff", "\u2028\u2029", "\v\f", "\ufffd\uffff\U0010ffff", "Ġhello Ċ ĉ",
    "\\xff <0xE4>", "\u00adx", "’s ＇s ʼs", "ª º ʰ", "_ ‿ $€ ~^`", "%E4%BD", "\u180e\u1680x", "\u202ex\u202c",
]  # fmt: skip
CONTROL = [
    "<|im_start|>user\n你好<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n", "<tool_call>\n{\"name\": \"f\"}\n</tool_call>", "a<|im_end|>b", " <|im_end|> ",
    "<|im_end|", "|im_end|>", "<|IM_END|>", "<<|im_end|>>", "<|<|im_end|>|>", "<|endoftext|><|endoftext|>", "e<|im_end|>\u0301", "it<|im_end|>'s", "don<think>'t",
    "\n<think>\n", "< think>", "<|vision_start|><|image_pad|><|vision_end|>x", "<tool_response>42</tool_response>", "\u00a0<|im_end|>\u3000", "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>",
]  # fmt: skip
GROUPS = {
    "chinese": CHINESE, "english": ENGLISH, "other": OTHER, "marks": MARKS, "pictures": PICTURES, "code": CODE, "odd": ODD, "control": CONTROL,
}  # fmt: skip
