// See services/assistant/embedded.h; the symbols are defined in embedded.S.
#include "services/assistant/embedded.h"

extern "C" {
extern const char ink_assistant_catalogue_begin[], ink_assistant_catalogue_end[];
extern const char ink_assistant_cmn_begin[], ink_assistant_cmn_end[];
extern const char ink_assistant_yue_begin[], ink_assistant_yue_end[];
extern const char ink_assistant_eng_begin[], ink_assistant_eng_end[];
extern const char ink_assistant_traditional_begin[], ink_assistant_traditional_end[];
extern const char ink_assistant_characters_begin[], ink_assistant_characters_end[];
}

namespace ink::assistant::embedded {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

std::string_view catalogue() { return between(ink_assistant_catalogue_begin, ink_assistant_catalogue_end); }

std::string_view phrases(Language language) {
  switch (language) {
    case Language::kMandarin:
      return between(ink_assistant_cmn_begin, ink_assistant_cmn_end);
    case Language::kCantonese:
      return between(ink_assistant_yue_begin, ink_assistant_yue_end);
    case Language::kEnglish:
      break;
  }
  return between(ink_assistant_eng_begin, ink_assistant_eng_end);
}

std::string_view traditional_choices() {
  return between(ink_assistant_traditional_begin, ink_assistant_traditional_end);
}

std::string_view character_pairs() {
  return between(ink_assistant_characters_begin, ink_assistant_characters_end);
}

}  // namespace ink::assistant::embedded
