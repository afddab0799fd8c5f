// Byte-level BPE of the Qwen family: text to ids and back. Text from a person or a tool is never turned into
// control tokens: only segments marked kTrusted (the chat format's own text) are searched for added tokens.
// Between two added tokens all segments are joined first and then split into words, so the ids equal those of
// the reference on the whole rendered prompt.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ink {

struct TextSegment {
  std::string text;
  bool trusted = false;  // true: added tokens (<|im_start|>, <think>, …) in it become their ids
};

// Which regular expression splits text into words before merging.
enum class PreTokenizer { kQwen2, kQwen35 };

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool special = false;  // left out of decoded text when the caller skips special tokens
};

// What both file formats give. Tokens are in byte-level form (GPT-2's printable letters for bytes).
struct Vocabulary {
  std::vector<std::string> tokens;  // indexed by id; added tokens included, holes are empty
  std::vector<std::string> merges;  // "left right", best first
  std::vector<AddedToken> added;
  PreTokenizer pre = PreTokenizer::kQwen2;
};

// The same where the texts stand elsewhere, in a mapped file for instance; they are not kept.
struct VocabularyView {
  std::span<const std::string_view> tokens;
  std::span<const std::string_view> merges;
  std::span<const AddedToken> added;
  PreTokenizer pre = PreTokenizer::kQwen2;
};

class Tokenizer {
 public:
  // From the text of a Hugging Face tokenizer.json. `where` names the file in errors. Refuses models other
  // than byte-level BPE with one of the known pre-tokenizers, merges of unknown tokens, ids out of range, and
  // added tokens that match otherwise than literally (lstrip, rstrip, single_word, normalized). The file's
  // post_processor is not applied: what stands around a prompt is the caller's business.
  static Result<Tokenizer> from_json(std::string_view tokenizer_json, const std::string& where);
  // An added token may not also be an ordinary one that merging makes: plain text would yield it.
  static Result<Tokenizer> from_vocabulary(const Vocabulary& vocabulary, const std::string& where);
  static Result<Tokenizer> from_vocabulary(const VocabularyView& vocabulary, const std::string& where);

  // Plain text: no added token is recognised. Input need not be valid UTF-8: invalid bytes are kept as bytes.
  std::vector<int32_t> encode(std::string_view text) const;
  // Trusted and plain segments in order, as described above.
  std::vector<int32_t> encode(std::span<const TextSegment> segments) const;

  int32_t vocabulary_size() const;                 // ids are 0 .. vocabulary_size() - 1
  std::string_view token_bytes(int32_t id) const;  // exact bytes; empty for ids outside the vocabulary
  bool is_special(int32_t id) const;               // a special added token (skipped when decoding text)
  std::optional<int32_t> find_added(std::string_view content) const;          // "<|im_end|>" → its id
  std::string decode(std::span<const int32_t> ids, bool skip_special) const;  // exact bytes, joined

 private:
  struct State;
  explicit Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;  // immutable, shared: copies are cheap and may be used from any thread
};

}  // namespace ink
