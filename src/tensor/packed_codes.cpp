// See tensor/packed_codes.h.
#include "tensor/packed_codes.h"

#include <array>

#include "tensor/quants_blocks.h"

namespace ink {
namespace {

constexpr std::array<int64_t, 8> kNibbleOfValue = {0, 4, 1, 5, 2, 6, 3, 7};

// Where value `index` of a line is: bit `shift` of word `word`, and, when it does not fit there, on in the
// next.
struct BitPlace {
  int64_t word;
  int shift;
};

BitPlace place_of(const PackedCodes& codes, int64_t index) {
  if (codes.interleaved) index = index / 8 * 8 + kNibbleOfValue[static_cast<size_t>(index % 8)];
  const int64_t bit = index * codes.bits;
  return {bit / 32, static_cast<int>(bit % 32)};
}

}  // namespace

uint32_t PackedCodes::word(int64_t line, int64_t index) const {
  const std::byte* place = data + 4 * (line * line_stride + index * word_stride);
  return blocks::load_u32(reinterpret_cast<const uint8_t*>(place)) + added;
}

uint32_t PackedCodes::get(int64_t line, int64_t index) const {
  const BitPlace place = place_of(*this, index);
  uint32_t value = word(line, place.word) >> place.shift;
  if (place.shift + bits > 32) value |= word(line, place.word + 1) << (32 - place.shift);
  return value & ((1u << bits) - 1);
}

void PackedCodes::read_line(int64_t line, int64_t count, uint8_t* codes) const {
  const uint32_t mask = (1u << bits) - 1;
  uint64_t stream = 0;
  int left = 0;  // bits in `stream`
  int64_t next = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (left < bits) {
      stream |= static_cast<uint64_t>(word(line, next++)) << left;
      left += 32;
    }
    codes[i] = static_cast<uint8_t>(stream & mask);
    stream >>= bits;
    left -= bits;
  }
}

bool PackedCodes::all_are(uint32_t value, int64_t lines, int64_t count) const {
  const bool whole_words = 32 % bits == 0 && count * bits % 32 == 0;
  const uint32_t repeated = 0xffffffffu / ((1u << bits) - 1) * value;
  for (int64_t line = 0; line < lines; ++line) {
    for (int64_t i = 0; whole_words && i < count * bits / 32; ++i) {
      if (word(line, i) != repeated) return false;
    }
    for (int64_t i = 0; !whole_words && i < count; ++i) {
      if (get(line, i) != value) return false;
    }
  }
  return true;
}

void PackedCodes::read_across(int64_t index, int64_t count, uint8_t* codes) const {
  const BitPlace place = place_of(*this, index);
  const uint32_t mask = (1u << bits) - 1;
  for (int64_t line = 0; line < count; ++line)
    codes[line] = static_cast<uint8_t>((word(line, place.word) >> place.shift) & mask);
}

}  // namespace ink
