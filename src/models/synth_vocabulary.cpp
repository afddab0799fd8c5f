// See models/synth_vocabulary.h.
#include "models/synth_vocabulary.h"

#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "base/utf8.h"

namespace ink {
namespace {

constexpr int64_t kQwenVocabSize = 151936;
constexpr int64_t kFirstQwenControl = 151643;
constexpr int32_t kNormal = 1;
constexpr int32_t kControl = 3;
constexpr int32_t kUserDefined = 4;
constexpr int32_t kUnused = 5;

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

std::string tokenizer_json_of(const SynthVocabulary& vocabulary) {
  // Written by hand: ordered JSON objects would compare each of 150,000 keys with all before it.
  std::string vocab;
  Json added = Json::array();
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.types[id] == kNormal)
      vocab += (vocab.empty() ? "" : ",") + Json(vocabulary.tokens[id]).dump() + ":" + std::to_string(id);
    if (vocabulary.types[id] != kControl && vocabulary.types[id] != kUserDefined) continue;
    added.push_back({{"id", id},
                     {"content", vocabulary.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", vocabulary.types[id] == kControl}});
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

int32_t SynthVocabulary::find(std::string_view token) const {
  const auto place = std::find(tokens.begin(), tokens.end(), token);
  return place == tokens.end() ? -1 : static_cast<int32_t>(place - tokens.begin());
}

SynthVocabulary make_synth_vocabulary(int64_t size) {
  SynthVocabulary vocabulary;
  const auto control_tokens = static_cast<int64_t>(std::size(kControlTokens));
  const int64_t first_control = size == kQwenVocabSize ? kFirstQwenControl : size - control_tokens;
  for (int64_t id = 0; id < size; ++id) {
    const int64_t control = id - first_control;
    if (id < 256) {
      vocabulary.tokens.push_back(byte_letter(static_cast<int>(id)));
      vocabulary.types.push_back(kNormal);
    } else if (control >= 0 && control < control_tokens) {
      vocabulary.tokens.emplace_back(kControlTokens[control].text);
      vocabulary.types.push_back(kControlTokens[control].special ? kControl : kUserDefined);
    } else {
      vocabulary.tokens.push_back("<filler_" + std::to_string(id) + ">");
      vocabulary.types.push_back(control < 0 ? kNormal : kUnused);
    }
  }
  vocabulary.tokenizer_json = tokenizer_json_of(vocabulary);
  return vocabulary;
}

Result<SynthVocabulary> copy_vocabulary(const std::string& tokenizer_json, int64_t size,
                                        const std::string& where) {
  // Not Json: its ordered objects look keys up one after the other.
  const auto json = nlohmann::json::parse(tokenizer_json, nullptr, false);
  const auto refused = [&](const char* got) {
    return Error{ErrorKind::kInvalid, where, "a tokenizer.json with model.vocab and model.merges", got, ""};
  };
  if (!json.is_object() || !json.contains("model") || !json["model"].is_object()) return refused("no model");
  const auto& model = json["model"];
  if (!model.contains("vocab") || !model["vocab"].is_object()) return refused("no vocab");
  SynthVocabulary vocabulary;
  vocabulary.tokenizer_json = tokenizer_json;
  const auto count = static_cast<size_t>(size);
  for (size_t id = 0; id < count; ++id) vocabulary.tokens.push_back("<unused_" + std::to_string(id) + ">");
  vocabulary.types.assign(count, kUnused);
  const auto place = [&](const nlohmann::json& id, const std::string& token, int32_t type) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= count) return false;
    vocabulary.tokens[id.get<size_t>()] = token;
    vocabulary.types[id.get<size_t>()] = type;
    return true;
  };
  const Error too_many{ErrorKind::kTooLarge, where, "ids below " + std::to_string(size), "a larger one", ""};
  for (const auto& [token, id] : model["vocab"].items()) {
    if (!place(id, token, kNormal)) return too_many;
  }
  for (const auto& added : json.value("added_tokens", nlohmann::json::array())) {
    if (!added.is_object() || !added.contains("content") || !added["content"].is_string() ||
        !added.contains("id"))
      return refused("an added token without id and content");
    const bool special = added.value("special", false);
    if (!place(added["id"], added["content"].get<std::string>(), special ? kControl : kUserDefined))
      return too_many;
  }
  for (const auto& merge : model.value("merges", nlohmann::json::array())) {
    const bool is_pair =
        merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
    if (!is_pair && !merge.is_string()) return refused("a merge that is neither text nor a pair");
    vocabulary.merges.push_back(is_pair ? merge[0].get<std::string>() + " " + merge[1].get<std::string>()
                                        : merge.get<std::string>());
  }
  return vocabulary;
}

}  // namespace ink
