// Small unsigned integers packed into 32-bit words, as quantized safetensors checkpoints store weights and
// zero points. All of them are one idea: values follow each other in lines, a line is a stream of bits
// through its words, lowest bits first; the formats differ in where the next word of a line and the next line
// lie.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ink {

struct PackedCodes {
  const std::byte* data = nullptr;  // needs no alignment
  int bits = 4;                     // 2 to 8
  int64_t line_stride = 0;          // words from one line to the next
  int64_t word_stride = 1;          // words from one word of a line to the next
  uint32_t added = 0;               // to every word, modulo 2^32
  bool interleaved = false;         // AWQ: values 0 2 4 6 1 3 5 7 of each eight, by their nibble

  uint32_t get(int64_t line, int64_t index) const;
  // Values 0 .. count - 1 of one line.
  void read_line(int64_t line, int64_t count, uint8_t* codes) const;
  // Whether values 0 .. count - 1 of all lines are `value`.
  bool all_are(uint32_t value, int64_t lines, int64_t count) const;
  // Value `index` of lines 0 .. count - 1.
  void read_across(int64_t index, int64_t count, uint8_t* codes) const;

 private:
  uint32_t word(int64_t line, int64_t index) const;
};

}  // namespace ink
