// See text/vocabulary_table.h.
#include "text/vocabulary_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/utf8.h"

namespace ink {
namespace {

// Letters of the alphabet are code points below this.
constexpr size_t kLetters = 0x144;

// byte_of[letter], or -1. A byte that is printable in Latin-1 is its own letter; the others take the code
// points from U+0100 on, in order.
constexpr std::array<int16_t, kLetters> make_byte_of_letter() {
  std::array<int16_t, kLetters> byte_of = {};
  for (int16_t& byte : byte_of) byte = -1;
  size_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte != 0xad);
    byte_of[printable ? static_cast<size_t>(byte) : next++] = static_cast<int16_t>(byte);
  }
  return byte_of;
}
constexpr std::array<int16_t, kLetters> kByteOfLetter = make_byte_of_letter();

constexpr uint64_t kNotFindable = 0;  // the hash of no token

uint64_t hash_of(std::string_view bytes) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15u;
  uint64_t hash = bytes.size();
  const auto take = [&](uint64_t word) {
    hash = (hash ^ word) * kOdd;
    hash ^= hash >> 32;
  };
  size_t position = 0;
  uint64_t word = 0;
  for (; position + sizeof word <= bytes.size(); position += sizeof word) {
    std::memcpy(&word, bytes.data() + position, sizeof word);
    take(word);
  }
  word = 0;
  for (; position < bytes.size(); ++position) word = word << 8 | static_cast<unsigned char>(bytes[position]);
  take(word);
  return (hash * kOdd) | 1;  // slots are chosen by the high bits
}

}  // namespace

bool append_bytes_of_letters(std::string_view letters, std::string& bytes) {
  const size_t before = bytes.size();
  bytes.resize(before + letters.size());  // no letter is shorter than its byte
  char* next = bytes.data() + before;
  bool good = true;
  for (size_t position = 0; position < letters.size() && good;) {
    const auto letter = static_cast<unsigned char>(letters[position]);
    if (letter > 0x20 && letter < 0x7f) {  // most of them
      *next++ = letters[position++];
      continue;
    }
    const Utf8Char c = decode_utf8(letters, position);
    good = c.size_bytes > 0 && c.code_point < kLetters && kByteOfLetter[c.code_point] >= 0;
    if (good) *next++ = static_cast<char>(static_cast<unsigned char>(kByteOfLetter[c.code_point]));
    position += static_cast<size_t>(c.size_bytes);
  }
  bytes.resize(static_cast<size_t>(next - bytes.data()));
  return good;
}

void VocabularyTable::reserve(size_t tokens, size_t bytes) {
  INK_CHECK(tokens <= kMaxTokens && bytes <= UINT32_MAX && ends_.size() == 1, "sizes the caller has checked");
  block_.reserve(bytes);
  ends_.reserve(tokens + 1);
  hashes_.reserve(tokens);
  const size_t slots = std::bit_ceil(tokens + tokens / 2 + 1);
  slots_.assign(slots, {});
  shift_ = 64 - std::countr_zero(slots);
}

void VocabularyTable::add(std::string_view bytes, bool findable) {
  INK_CHECK(ends_.size() < slots_.size() && bytes.size() <= UINT32_MAX - block_.size(),
            "more tokens or bytes than were reserved");
  block_ += bytes;
  ends_.push_back(static_cast<uint32_t>(block_.size()));
  const bool is_found = findable && !bytes.empty();
  hashes_.push_back(is_found ? hash_of(bytes) : kNotFindable);
  if (is_found) longest_bytes_ = std::max(longest_bytes_, bytes.size());
}

void VocabularyTable::finish() {
  constexpr size_t kAhead = 16;
  for (size_t id = 0; id < hashes_.size(); ++id) {
    if (id + kAhead < hashes_.size()) __builtin_prefetch(&slots_[hashes_[id + kAhead] >> shift_], 1);
    if (hashes_[id] == kNotFindable) continue;
    Slot& slot = slots_[find_slot(bytes(static_cast<int32_t>(id)), hashes_[id])];
    if (slot.id < 0) slot = {static_cast<uint32_t>(hashes_[id]), static_cast<int32_t>(id)};
  }
  hashes_ = {};
}

int32_t VocabularyTable::find(std::string_view bytes) const {
  if (bytes.size() > longest_bytes_ || bytes.empty()) return -1;
  return slots_[find_slot(bytes, hash_of(bytes))].id;
}

VocabularyKey VocabularyTable::key(std::string_view bytes) const {
  const uint64_t hash = hash_of(bytes);
  __builtin_prefetch(&slots_[hash >> shift_]);
  return {bytes, hash};
}

int32_t VocabularyTable::find_key(const VocabularyKey& key) const {
  if (key.bytes.size() > longest_bytes_ || key.bytes.empty()) return -1;
  return slots_[find_slot(key.bytes, key.hash)].id;
}

size_t VocabularyTable::find_slot(std::string_view bytes, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash >> shift_;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.id < 0) return i;
    if (slot.tag == static_cast<uint32_t>(hash) && this->bytes(slot.id) == bytes) return i;
  }
}

}  // namespace ink
