// Where merging starts. Plainly it starts with the bytes of the word; most merges then only rebuild
// characters that could have been there from the beginning. This file finds out, from the merge list alone,
// which characters may be, so that a Chinese word of ten characters starts with 10 symbols instead of 30.
//
// Why the result is the same. Suppose ranks grow: no merge makes a token that an earlier merge already uses.
// Then merging is one pass over the word per rank, in order of rank. In these passes the bytes of a character
// c turn into c's token by c's own merges, unless a merge with a neighbour takes a fragment of c first: with
// the character before it one that begins c ("head"), with the one behind it one that ends c ("tail"). Where
// no such merge of lower rank exists for the neighbours that c has, c always comes to be; and no merge that
// uses c's token has a lower rank than its making. So nothing changes when c is there at the start.
// Vocabularies whose ranks do not grow, characters that may lose a fragment, and characters before
// bytes that are not valid UTF-8 start with bytes.
#include <algorithm>

#include "text/byte_pair.h"

namespace ink {
namespace {

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// The number of bytes from the start of the last character that begins in `bytes`; 0 when none begins.
size_t last_character_bytes(std::string_view bytes) {
  for (size_t i = bytes.size(); i-- > 0;) {
    if (!continues_character(bytes[i])) return bytes.size() - i;
  }
  return 0;
}

// No merge makes a token that an earlier merge uses.
bool ranks_grow(std::span<const Merge> merges, int32_t tokens) {
  std::vector<bool> used(static_cast<size_t>(tokens), false);
  for (const Merge& merge : merges) {
    if (used[static_cast<size_t>(merge.merged)]) return false;
    used[static_cast<size_t>(merge.left)] = used[static_cast<size_t>(merge.right)] = true;
  }
  return true;
}

}  // namespace

// What the merges across a character boundary say.
struct BytePair::BoundaryMerges {
  BoundaryMerges(const VocabularyTable& table, std::span<const Merge> merges)
      : as_left(static_cast<size_t>(table.size()), kNoRank),
        as_right(as_left),
        tail_takes_head(as_left.size(), false),
        head_takes_tail(as_left.size(), false),
        character_takes_head(kSeeds, false),
        character_takes_tail(kSeeds, false) {
    for (size_t rank = merges.size(); rank-- > 0;) add(table, merges[rank], static_cast<uint32_t>(rank));
  }

  void add(const VocabularyTable& table, const Merge& merge, uint32_t rank) {
    const std::string_view left = table.bytes(merge.left);
    const std::string_view right = table.bytes(merge.right);
    if (continues_character(right[0])) return;  // inside a character
    as_left[static_cast<size_t>(merge.left)] = rank;
    as_right[static_cast<size_t>(merge.right)] = rank;
    const size_t last = last_character_bytes(left);  // 0: left is the tail of a character
    const Utf8Char after = decode_utf8(right, 0);    // none: right is the head of a character
    if (after.size_bytes == 0) {
      const Utf8Char before = decode_utf8(left, left.size() - last);
      if (last == 0) tail_takes_head[static_cast<size_t>(merge.left)] = true;
      if (before.size_bytes > 0 && before.code_point < kSeeds) character_takes_head[before.code_point] = true;
    }
    if (last == 0) {
      if (after.size_bytes == 0) head_takes_tail[static_cast<size_t>(merge.right)] = true;
      if (after.size_bytes > 0 && after.code_point < kSeeds) character_takes_tail[after.code_point] = true;
    }
  }

  std::vector<uint32_t> as_left, as_right;                       // [id] the lowest rank as that half
  std::vector<bool> tail_takes_head, head_takes_tail;            // [id] of a fragment
  std::vector<bool> character_takes_head, character_takes_tail;  // [code point]
};

void BytePair::find_seeds(std::span<const Merge> merges) {
  if (!ranks_grow(merges, table_.size())) return;
  const BoundaryMerges boundary(table_, merges);
  seeds_.resize(kSeeds);
  for (int32_t id = 0; id < table_.size(); ++id) {
    const std::string_view bytes = table_.bytes(id);
    if (bytes.empty() || bytes.size() > 3 || table_.find(bytes) != id) continue;
    const Utf8Char c = decode_utf8(bytes, 0);
    if (static_cast<size_t>(c.size_bytes) == bytes.size())
      seeds_[c.code_point] = make_seed(id, c.code_point, boundary);
  }
}

// Merges one character's bytes alone and notes where a neighbour could come in between.
BytePair::Seed BytePair::make_seed(int32_t id, char32_t character, const BoundaryMerges& boundary) const {
  const std::string_view bytes = table_.bytes(id);
  bool takes_head = boundary.character_takes_head[character];
  bool takes_tail = boundary.character_takes_tail[character];
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    const int32_t head = table_.find(bytes.substr(0, cut));
    const int32_t tail = table_.find(bytes.substr(cut));
    takes_tail = takes_tail || (head >= 0 && boundary.head_takes_tail[static_cast<size_t>(head)]);
    takes_head = takes_head || (tail >= 0 && boundary.tail_takes_head[static_cast<size_t>(tail)]);
  }
  bool fears_left = false;
  bool fears_right = false;
  std::vector<int32_t> parts;
  for (const char byte : bytes) parts.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
  while (parts.size() > 1) {
    size_t best = 0;
    uint32_t best_rank = kNoRank;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const uint32_t rank = rank_of(parts[i], parts[i + 1]);
      if (rank < best_rank) best = i, best_rank = rank;
    }
    if (best_rank == kNoRank) return {};  // the bytes alone never become the token
    fears_left |= best == 0 && boundary.as_right[static_cast<size_t>(parts.front())] < best_rank;
    fears_right |=
        best + 2 == parts.size() && boundary.as_left[static_cast<size_t>(parts.back())] < best_rank;
    parts[best] = merged_[best_rank];
    parts.erase(parts.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
  return {static_cast<uint32_t>(parts[0]) & kNoId, fears_left, fears_right, takes_head, takes_tail};
}

BytePair::Seed BytePair::seed_at(std::string_view word, size_t position, size_t& size_bytes) const {
  const Utf8Char c = next_char(word, position);
  size_bytes = std::max<size_t>(1, static_cast<size_t>(c.size_bytes));
  return c.size_bytes > 0 && c.code_point < kSeeds ? seeds_[c.code_point] : Seed{};
}

void BytePair::append_seeds(std::string_view word, std::vector<int32_t>& ids) const {
  const auto append_bytes = [&](std::string_view bytes) {
    for (const char byte : bytes) ids.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
  };
  if (seeds_.empty()) return append_bytes(word);
  // Stray continuation bytes behind a character may take its tail in ways no valid text knows.
  const auto unknown = [](Seed seed) { return seed.id == kNoId; };
  const Seed edge{0, 0, 0, 0, 0};
  Seed before = edge;
  size_t size = 0;
  Seed here = seed_at(word, 0, size);
  for (size_t position = 0; position < word.size();) {
    const size_t next = position + size;
    const Seed after = next < word.size() ? seed_at(word, next, size) : edge;
    const bool loses_head = here.fears_left != 0 && before.takes_head != 0;
    const bool loses_tail = here.fears_right != 0 && after.takes_tail != 0;
    if (loses_head || loses_tail || unknown(here) || unknown(after)) {
      append_bytes(word.substr(position, next - position));
    } else {
      ids.push_back(static_cast<int32_t>(here.id));
    }
    before = here;
    here = after;
    position = next;
  }
}

}  // namespace ink
