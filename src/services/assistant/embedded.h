// What the assistant carries inside the program as text: the catalogue, its sentences, and which traditional
// character belongs to which simplified one. The files are in phrases/ and in the model's grammar; people who
// write no programs edit them there.
#pragma once

#include <string_view>

#include "services/assistant/tool.h"

namespace ink::assistant::embedded {

std::string_view catalogue();                 // pocket/assistant/catalogue.json
std::string_view phrases(Language language);  // phrases/cmn.txt, yue.txt, eng.txt
std::string_view traditional_choices();       // phrases/traditional.txt
std::string_view character_pairs();           // pocket/assistant/grammar/simplified.txt

}  // namespace ink::assistant::embedded
