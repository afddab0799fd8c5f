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
std::array<int16_t, kLetters> make_byte_of_letter() {
  std::array<int16_t, kLetters> byte_of;
  byte_of.fill(-1);
  size_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte != 0xad);
    byte_of[printable ? static_cast<size_t>(byte) : next++] = static_cast<int16_t>(byte);
  }
  return byte_of;
}

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
  return hash * kOdd;
}

}  // namespace

bool append_bytes_of_letters(std::string_view letters, std::string& bytes) {
  static const std::array<int16_t, kLetters> byte_of = make_byte_of_letter();
  for (size_t position = 0; position < letters.size();) {
    const Utf8Char c = decode_utf8(letters, position);
    if (c.size_bytes == 0 || c.code_point >= kLetters || byte_of[c.code_point] < 0) return false;
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(byte_of[c.code_point])));
    position += static_cast<size_t>(c.size_bytes);
  }
  return true;
}

void VocabularyTable::reserve(size_t tokens, size_t bytes) {
  INK_CHECK(tokens <= kMaxTokens && bytes <= UINT32_MAX && ends_.size() == 1, "sizes the caller has checked");
  block_.reserve(bytes);
  ends_.reserve(tokens + 1);
  const size_t slots = std::bit_ceil(tokens + tokens / 2 + 1);
  slots_.assign(slots, {});
  shift_ = 64 - std::countr_zero(slots);
}

void VocabularyTable::add(std::string_view bytes, bool findable) {
  const int32_t id = size();
  INK_CHECK(static_cast<size_t>(id) + 1 < slots_.size() && bytes.size() <= UINT32_MAX - block_.size(),
            "more tokens or bytes than were reserved");
  block_ += bytes;
  ends_.push_back(static_cast<uint32_t>(block_.size()));
  if (!findable || bytes.empty()) return;
  longest_bytes_ = std::max(longest_bytes_, bytes.size());
  const uint64_t hash = hash_of(bytes);
  Slot& slot = slots_[find_slot(bytes, hash)];
  if (slot.id < 0) slot = {static_cast<uint32_t>(hash), id};
}

int32_t VocabularyTable::find(std::string_view bytes) const {
  if (bytes.size() > longest_bytes_ || bytes.empty()) return -1;
  return slots_[find_slot(bytes, hash_of(bytes))].id;
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
