// See text/tokenizer.h. Order of the work, as in the reference: added tokens are cut out of the raw text;
// each piece between them is normalised (NFC), split into words, and every word merged.
#include "text/tokenizer.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "text/byte_pair.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer_added_tokens.h"
#include "text/unicode.h"
#include "text/vocabulary_table.h"

namespace ink {
namespace {

// Merging counts positions in 32 bits; a longer word (none that anybody wrote) is merged in pieces.
constexpr size_t kMaxWordBytes = size_t{1} << 31;

Error token_error(const std::string& where, size_t id, std::string wanted, std::string got) {
  return {ErrorKind::kInvalid, where + ": token " + std::to_string(id), std::move(wanted), std::move(got),
          ""};
}

Status check_sizes(const VocabularyView& vocabulary, const std::string& where) {
  const auto check = [&](const char* what, uint64_t count, uint64_t most) -> Status {
    if (count <= most) return Done{};
    return Error{ErrorKind::kTooLarge, where, "at most " + std::to_string(most) + " " + what,
                 std::to_string(count), ""};
  };
  uint64_t bytes = 0;
  for (const std::string_view token : vocabulary.tokens) bytes += token.size();
  for (const AddedToken& added : vocabulary.added) bytes += added.content.size();
  if (auto status = check("tokens", vocabulary.tokens.size(), VocabularyTable::kMaxTokens); !status)
    return status;
  if (auto status = check("merges", vocabulary.merges.size(), BytePair::kMaxMerges); !status) return status;
  return check("bytes of tokens", bytes, UINT32_MAX);
}

// Puts the contents of the added tokens at their ids, or says what contradicts.
Result<std::vector<const AddedToken*>> place_added(const VocabularyView& vocabulary,
                                                   const std::string& where) {
  std::vector<const AddedToken*> at(vocabulary.tokens.size(), nullptr);
  for (const AddedToken& added : vocabulary.added) {
    if (added.id < 0 || static_cast<uint32_t>(added.id) >= VocabularyTable::kMaxTokens) {
      return Error{ErrorKind::kInvalid, where + ": added token '" + added.content + "'",
                   "an id from 0 to " + std::to_string(VocabularyTable::kMaxTokens - 1),
                   std::to_string(added.id), ""};
    }
    const auto id = static_cast<size_t>(added.id);
    if (added.content.empty()) return token_error(where, id, "the text of an added token", "nothing");
    if (id >= at.size()) at.resize(id + 1, nullptr);
    if (at[id] != nullptr && at[id]->content != added.content)
      return token_error(where, id, "one added token",
                         "'" + at[id]->content + "' and '" + added.content + "'");
    if (id < vocabulary.tokens.size() && !vocabulary.tokens[id].empty() &&
        vocabulary.tokens[id] != added.content) {
      return token_error(where, id, "the added token '" + added.content + "'",
                         "'" + std::string(vocabulary.tokens[id]) + "'");
    }
    at[id] = &added;
  }
  return at;
}

Result<VocabularyTable> make_table(const VocabularyView& vocabulary,
                                   const std::vector<const AddedToken*>& added, const std::string& where) {
  size_t total_bytes = 0;
  for (const std::string_view token : vocabulary.tokens) total_bytes += token.size();
  for (const AddedToken* token : added) total_bytes += token != nullptr ? token->content.size() : 0;
  VocabularyTable table;
  table.reserve(added.size(), total_bytes);
  std::string bytes;
  for (size_t id = 0; id < added.size(); ++id) {
    if (added[id] != nullptr) {
      table.add(added[id]->content, false);
      continue;
    }
    bytes.clear();
    if (id < vocabulary.tokens.size() && !append_bytes_of_letters(vocabulary.tokens[id], bytes))
      return token_error(where, id, "letters of byte-level BPE",
                         "'" + std::string(vocabulary.tokens[id]) + "'");
    table.add(bytes, true);
  }
  table.finish();
  for (int byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(static_cast<unsigned char>(byte));
    if (table.find({&text, 1}) < 0) {
      return Error{ErrorKind::kInvalid, where, "a token for each of the 256 bytes",
                   "none for byte " + std::to_string(byte), ""};
    }
  }
  return table;
}

// A merge whose three tokens are still looked for.
struct OpenMerge {
  std::string bytes;  // of both halves
  VocabularyKey left, right, both;
  bool good = false;

  void open(std::string_view letters, const VocabularyTable& table) {
    const size_t space = std::min(letters.find(' '), letters.size());
    bytes.clear();
    good = space < letters.size() && append_bytes_of_letters(letters.substr(0, space), bytes);
    const size_t left_size = bytes.size();
    good = good && append_bytes_of_letters(letters.substr(space + 1), bytes);
    const std::string_view whole = bytes;
    left = table.key(whole.substr(0, left_size));
    right = table.key(whole.substr(left_size));
    both = table.key(whole);
  }
};

Result<std::vector<Merge>> resolve_merges(const VocabularyView& vocabulary, const VocabularyTable& table,
                                          const std::string& where) {
  constexpr size_t kAhead = 16;
  OpenMerge open[kAhead];
  const std::span<const std::string_view> texts = vocabulary.merges;
  std::vector<Merge> merges;
  merges.reserve(texts.size());
  for (size_t i = 0; i < std::min(kAhead, texts.size()); ++i) open[i].open(texts[i], table);
  for (size_t i = 0; i < texts.size(); ++i) {
    OpenMerge& found = open[i % kAhead];
    const Merge merge = {table.find_key(found.left), table.find_key(found.right), table.find_key(found.both)};
    if (!found.good || merge.left < 0 || merge.right < 0 || merge.merged < 0) {
      return Error{ErrorKind::kInvalid, where + ": merge " + std::to_string(i),
                   "two ordinary tokens that together are a third", "'" + std::string(texts[i]) + "'", ""};
    }
    merges.push_back(merge);
    if (i + kAhead < texts.size()) found.open(texts[i + kAhead], table);
  }
  return merges;
}

// The added tokens by id, each once; two ids with the same text are an error.
Result<std::vector<AddedToken>> listed_once(const std::vector<const AddedToken*>& added,
                                            const std::string& where) {
  std::vector<AddedToken> once;
  std::unordered_set<std::string_view> contents;
  for (const AddedToken* token : added) {
    if (token == nullptr) continue;
    if (!contents.insert(token->content).second)
      return token_error(where, static_cast<size_t>(token->id), "a text of its own",
                         "the added token '" + token->content + "' again");
    once.push_back(*token);
  }
  return once;
}

}  // namespace

struct Tokenizer::State {
  State(VocabularyTable&& tokens, std::span<const Merge> merges, std::vector<AddedToken> added_tokens,
        PreTokenizer pre_tokenizer)
      : table(std::move(tokens)), byte_pair(table, merges), pre(pre_tokenizer) {
    special.assign(static_cast<size_t>(table.size()), false);
    for (const AddedToken& token : added_tokens) special[static_cast<size_t>(token.id)] = token.special;
    added = AddedTokenIndex(std::move(added_tokens));
  }

  // Text between two added tokens.
  void encode_piece(std::string_view text, std::vector<int32_t>& ids, BytePair::Scratch& scratch) const {
    const UnicodeTable& unicode = UnicodeTable::get();
    std::string storage;
    text = to_nfc(text, storage);
    for (size_t start = 0; start < text.size();) {
      const size_t end = std::min(word_end(pre, unicode, text, start), start + kMaxWordBytes);
      byte_pair.encode(text.substr(start, end - start), ids, scratch);
      start = end;
    }
  }

  VocabularyTable table;
  BytePair byte_pair;
  AddedTokenIndex added;
  std::vector<bool> special;  // [id]
  PreTokenizer pre;
};

Result<Tokenizer> Tokenizer::from_vocabulary(const Vocabulary& vocabulary, const std::string& where) {
  const std::vector<std::string_view> tokens(vocabulary.tokens.begin(), vocabulary.tokens.end());
  const std::vector<std::string_view> merges(vocabulary.merges.begin(), vocabulary.merges.end());
  return from_vocabulary(VocabularyView{tokens, merges, vocabulary.added, vocabulary.pre}, where);
}

Result<Tokenizer> Tokenizer::from_vocabulary(const VocabularyView& vocabulary, const std::string& where) {
  if (auto status = check_sizes(vocabulary, where); !status) return status.error();
  auto added = place_added(vocabulary, where);
  if (!added) return added.error();
  auto added_once = listed_once(*added, where);
  if (!added_once) return added_once.error();
  auto table = make_table(vocabulary, *added, where);
  if (!table) return table.error();
  auto merges = resolve_merges(vocabulary, *table, where);
  if (!merges) return merges.error();
  return Tokenizer(
      std::make_shared<const State>(std::move(*table), *merges, std::move(*added_once), vocabulary.pre));
}

std::vector<int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<int32_t> ids;
  BytePair::Scratch scratch;
  state_->encode_piece(text, ids, scratch);
  return ids;
}

std::vector<int32_t> Tokenizer::encode(std::span<const TextSegment> segments) const {
  struct Span {
    size_t start, end;
  };
  std::string text;
  std::vector<Span> trusted;  // neighbours are joined: what lies between two of them came from outside
  for (const TextSegment& segment : segments) {
    const size_t start = text.size();
    text += segment.text;
    if (!segment.trusted || segment.text.empty()) continue;
    if (!trusted.empty() && trusted.back().end == start) {
      trusted.back().end = text.size();
    } else {
      trusted.push_back({start, text.size()});
    }
  }
  std::vector<int32_t> ids;
  BytePair::Scratch scratch;
  const std::string_view all = text;
  size_t done = 0;
  for (const Span& span : trusted) {
    size_t position = span.start;
    while (const auto match = state_->added.find_first(all.substr(0, span.end), position)) {
      state_->encode_piece(all.substr(done, match->start - done), ids, scratch);
      ids.push_back(match->id);
      done = position = match->end;
    }
  }
  state_->encode_piece(all.substr(done), ids, scratch);
  return ids;
}

int32_t Tokenizer::vocabulary_size() const { return state_->table.size(); }

std::string_view Tokenizer::token_bytes(int32_t id) const {
  return id >= 0 && id < vocabulary_size() ? state_->table.bytes(id) : std::string_view();
}

bool Tokenizer::is_special(int32_t id) const {
  return id >= 0 && id < vocabulary_size() && state_->special[static_cast<size_t>(id)];
}

std::optional<int32_t> Tokenizer::find_added(std::string_view content) const {
  return state_->added.find(content);
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::string bytes;
  for (const int32_t id : ids) {
    if (!skip_special || !is_special(id)) bytes += token_bytes(id);
  }
  return bytes;
}

}  // namespace ink
