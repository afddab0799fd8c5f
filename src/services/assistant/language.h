// Which language a request is in, and in which script, so that the answer is in the same. By marks (嘅, 的)
// and not by a model: it must also work when no model could be loaded, and in a microsecond. Easy to get
// wrong: Cantonese written in simplified characters, an English sentence with a Chinese name in it, and
// Chinese with English words.
#pragma once

#include <string>
#include <string_view>

#include "services/assistant/tool.h"

namespace ink::assistant {

Voice detect_voice(std::string_view text);

// "cmn", "cmn-Hant", "yue", "yue-Hans", "eng": the script is named where it is not the usual one.
std::string voice_code(const Voice& voice);
Voice voice_of(std::string_view code);

// A Chinese character.
bool is_han(char32_t c);

// Whether most letters belong to a script that none of the three languages is written in: kana, hangul,
// Cyrillic, … A few of them are a name ("play 宇多田ヒカル").
bool is_other_language(std::string_view text);

// Chinese in the other script, character by character; what has no other form stays. To traditional is right
// only for texts whose ambiguous characters are settled in phrases/traditional.txt, so it is used for our own
// sentences.
std::string to_simplified(std::string_view text);
std::string to_traditional(std::string_view text);

}  // namespace ink::assistant
