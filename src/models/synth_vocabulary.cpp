// See models/synth_vocabulary.h.
#include "models/synth_vocabulary.h"

#include <iterator>
#include <utility>

#include "base/json.h"
#include "base/utf8.h"

namespace ink {
namespace {

constexpr int64_t kQwenVocabSize = 151936;
constexpr int64_t kFirstQwenControl = 151643;

struct ControlToken {
  const char* text;
  bool special;
};
// In the order of Qwen's ids.
constexpr ControlToken kControlTokens[] = {
    {"<|endoftext|>", true},      {"<|im_start|>", true},
    {"<|im_end|>", true},         {"<|object_ref_start|>", true},
    {"<|object_ref_end|>", true}, {"<|box_start|>", true},
    {"<|box_end|>", true},        {"<|quad_start|>", true},
    {"<|quad_end|>", true},       {"<|vision_start|>", true},
    {"<|vision_end|>", true},     {"<|vision_pad|>", true},
    {"<|image_pad|>", true},      {"<|video_pad|>", true},
    {"<tool_call>", false},       {"</tool_call>", false},
    {"<|fim_prefix|>", false},    {"<|fim_middle|>", false},
    {"<|fim_suffix|>", false},    {"<|fim_pad|>", false},
    {"<|repo_name|>", false},     {"<|file_sep|>", false},
    {"<tool_response>", false},   {"</tool_response>", false},
    {"<think>", false},           {"</think>", false},
};

// Qwen's pattern, which the tokenizer asks for by its exact text.
constexpr const char* kQwenPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// GPT-2's printable letter for a byte.
std::string byte_letter(int byte) {
  const auto is_own_letter = [](int b) {
    return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  };
  int letter = byte;
  if (!is_own_letter(byte)) {
    letter = 256;
    for (int b = 0; b < byte; ++b) letter += is_own_letter(b) ? 0 : 1;
  }
  std::string text;
  append_utf8(text, static_cast<char32_t>(letter));
  return text;
}

std::string tokenizer_json_of(const GgufVocabulary& vocabulary) {
  // Written by hand: ordered JSON objects would compare each of 150,000 keys with all before it.
  std::string vocab;
  Json added = Json::array();
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.types[id] == kNormalToken)
      vocab += (vocab.empty() ? "" : ",") + Json(vocabulary.tokens[id]).dump() + ":" + std::to_string(id);
    if (vocabulary.types[id] != kControlToken && vocabulary.types[id] != kUserDefinedToken) continue;
    added.push_back({{"id", id},
                     {"content", vocabulary.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", vocabulary.types[id] == kControlToken}});
  }
  const Json split{
      {"type", "Split"}, {"pattern", {{"Regex", kQwenPattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  const Json letters{
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", false}};
  const Json before{{"type", "Sequence"}, {"pretokenizers", {split, letters}}};
  return R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":)" + added.dump() +
         R"(,"normalizer":{"type":"NFC"},"pre_tokenizer":)" + before.dump() + R"(,"post_processor":)" +
         letters.dump() + R"(,"decoder":)" + letters.dump() +
         R"(,"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":"",)" +
         R"("end_of_word_suffix":"","fuse_unk":false,"byte_fallback":false,"ignore_merges":false,"vocab":{)" +
         vocab + R"(},"merges":[]}})";
}

}  // namespace

SynthVocabulary make_synth_vocabulary(int64_t size) {
  SynthVocabulary vocabulary;
  const auto control_tokens = static_cast<int64_t>(std::size(kControlTokens));
  const int64_t first_control = size == kQwenVocabSize ? kFirstQwenControl : size - control_tokens;
  for (int64_t id = 0; id < size; ++id) {
    const int64_t control = id - first_control;
    if (id < 256) {
      vocabulary.tokens.push_back(byte_letter(static_cast<int>(id)));
      vocabulary.types.push_back(kNormalToken);
    } else if (control >= 0 && control < control_tokens) {
      vocabulary.tokens.emplace_back(kControlTokens[control].text);
      vocabulary.types.push_back(kControlTokens[control].special ? kControlToken : kUserDefinedToken);
    } else {
      vocabulary.tokens.push_back("<filler_" + std::to_string(id) + ">");
      vocabulary.types.push_back(control < 0 ? kNormalToken : kUnusedToken);
    }
  }
  vocabulary.tokenizer_json = tokenizer_json_of(vocabulary);
  return vocabulary;
}

Result<SynthVocabulary> copy_vocabulary(const std::string& tokenizer_json, int64_t size,
                                        const std::string& where) {
  auto vocabulary = read_vocabulary(tokenizer_json, size, where);
  if (!vocabulary.ok()) return vocabulary.error();
  return SynthVocabulary{std::move(*vocabulary), tokenizer_json};
}

}  // namespace ink
