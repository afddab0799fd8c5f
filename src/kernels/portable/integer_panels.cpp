// Panels of integer weights against int8 activations. Dot products of a group are exact in 32 bits and below
// 2^24, hence exact as floats too, and so are the scales (an f16 times a small integer); after that every
// float operation is the one written in kernel_table.h, groups ascending, nothing fused: any table that
// follows gives the same bits.
#include <cstring>

#include "base/half.h"
#include "kernels/portable/portable.h"

namespace ink::portable {
namespace {

constexpr int kRows = kPanelRows;
constexpr int kHalfGroup = kGroup / 2;

// One group of a panel as plain numbers: weight(n, k) = scale[k / 16][n] * q[n][k] + offset[k / 16][n].
struct Group {
  int q[kRows][kGroup];
  float scale[2][kRows];
  float offset[2][kRows];
};

float f16_at(const void* plane, int64_t index) {
  uint16_t bits;
  std::memcpy(&bits, static_cast<const std::byte*>(plane) + 2 * index, sizeof bits);
  return f16_to_f32(bits);
}
float f32_at(const void* plane, int64_t index) { return static_cast<const float*>(plane)[index]; }
const uint8_t* bytes_at(const void* plane, int64_t offset) {
  return static_cast<const uint8_t*>(plane) + offset;
}

void read_nibbles(const void* panel, int64_t group, int64_t group_bytes, int zero, Group& out) {
  const uint8_t* nibbles = bytes_at(panel, group * group_bytes);
  for (int n = 0; n < kRows; ++n) {
    for (int k = 0; k < kHalfGroup; ++k) {
      const int both = nibbles[(k / 4 * kRows + n) * 4 + k % 4];
      out.q[n][k] = (both & 15) - zero;
      out.q[n][kHalfGroup + k] = (both >> 4) - zero;
    }
  }
}

void read_bytes(const void* panel, int64_t group, Group& out) {
  const uint8_t* bytes = bytes_at(panel, group * kGroup * kRows);
  for (int n = 0; n < kRows; ++n) {
    for (int k = 0; k < kGroup; ++k)
      out.q[n][k] = static_cast<int8_t>(bytes[(k / 4 * kRows + n) * 4 + k % 4]);
  }
}

// How the integer classes are read. kParts: whether a group has one scale or one for each half of it.
struct Int4 {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = true;
  static void read(const void* panel, const void* scales, int64_t g, Group& out) {
    read_nibbles(panel, g, kGroup / 2 * kRows, 0, out);
    for (int n = 0; n < kRows; ++n) {
      out.scale[0][n] = f32_at(scales, (2 * g) * kRows + n);
      out.offset[0][n] = f32_at(scales, (2 * g + 1) * kRows + n);
    }
  }
};

struct Int4Half {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = false;
  static void read(const void* panel, const void* scales, int64_t g, Group& out) {
    read_nibbles(panel, g, kGroup / 2 * kRows, 8, out);
    for (int n = 0; n < kRows; ++n) out.scale[0][n] = f16_at(scales, g * kRows + n);
  }
};

struct Int4Super {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = true;
  static void read(const void* panel, const void* scales, int64_t g, Group& out) {
    read_nibbles(panel, g, kGroup / 2 * kRows, 0, out);
    const uint8_t* super = bytes_at(scales, g / kGroupsInSuper * (2 * 2 + 2 * kGroupsInSuper) * kRows);
    const uint8_t* small = super + (2 * 2 + 2 * (g % kGroupsInSuper)) * kRows;
    for (int n = 0; n < kRows; ++n) {
      out.scale[0][n] = f16_at(super, n) * static_cast<float>(small[n]);
      out.offset[0][n] = -(f16_at(super, kRows + n) * static_cast<float>(small[kRows + n]));
    }
  }
};

struct Int6Super {
  static constexpr int kParts = 2;
  static constexpr bool kOffsets = false;
  static void read(const void* panel, const void* scales, int64_t g, Group& out) {
    constexpr int64_t kGroupBytes = (kGroup / 2 + kGroup / 4) * kRows;
    read_nibbles(panel, g, kGroupBytes, 32, out);
    const uint8_t* high = bytes_at(panel, g * kGroupBytes + kGroup / 2 * kRows);
    for (int n = 0; n < kRows; ++n) {
      for (int k = 0; k < kGroup; ++k)
        out.q[n][k] += (high[(k % 8 / 4 * kRows + n) * 4 + k % 4] >> (k / 8 * 2) & 3) << 4;
    }
    const uint8_t* super = bytes_at(scales, g / kGroupsInSuper * (2 + 2 * kGroupsInSuper) * kRows);
    const uint8_t* small = super + (2 + 2 * (g % kGroupsInSuper)) * kRows;
    for (int part = 0; part < 2; ++part) {
      for (int n = 0; n < kRows; ++n) {
        const auto scale = static_cast<int8_t>(small[part * kRows + n]);
        out.scale[part][n] = f16_at(super, n) * static_cast<float>(scale);
      }
    }
  }
};

struct Int8 {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = false;
  static void read(const void* panel, const void* scales, int64_t g, Group& out) {
    read_bytes(panel, g, out);
    for (int n = 0; n < kRows; ++n) out.scale[0][n] = f32_at(scales, g * kRows + n);
  }
};

struct Int8Half {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = false;
  static void read(const void* panel, const void* scales, int64_t g, Group& out) {
    read_bytes(panel, g, out);
    for (int n = 0; n < kRows; ++n) out.scale[0][n] = f16_at(scales, g * kRows + n);
  }
};

struct Int8Fine {
  static constexpr int kParts = 2;
  static constexpr bool kOffsets = true;
  static void read(const void* panel, const void* scales, int64_t g, Group& out) {
    read_bytes(panel, g, out);
    for (int part = 0; part < 2; ++part) {
      for (int n = 0; n < kRows; ++n) {
        out.scale[part][n] = f32_at(scales, (4 * g + part) * kRows + n);
        out.offset[part][n] = f32_at(scales, (4 * g + 2 + part) * kRows + n);
      }
    }
  }
};

// What one group adds to row n, before the scale of the activations.
template <typename Class>
float group_value(const Group& group, int n, const int8_t* q, const int32_t* sum16) {
  constexpr int kPartCols = kGroup / Class::kParts;
  float value = 0.0f;
  for (int part = 0; part < Class::kParts; ++part) {
    int32_t dot = 0;
    for (int k = part * kPartCols; k < (part + 1) * kPartCols; ++k) dot += group.q[n][k] * q[k];
    const float product = group.scale[part][n] * static_cast<float>(dot);
    value = part == 0 ? product : value + product;
    if constexpr (Class::kOffsets) {
      const int32_t sum = Class::kParts == 1 ? sum16[0] + sum16[1] : sum16[part];
      value = value + group.offset[part][n] * static_cast<float>(sum);
    }
  }
  return value;
}

template <typename Class>
void panel(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* data, const void* scales,
           float* out) {
  const int64_t groups = x.cols / kGroup;
  for (int64_t i = 0; i < rows * kRows; ++i) out[i] = 0.0f;
  for (int64_t g = 0; g < groups; ++g) {
    Group group;
    Class::read(data, scales, g, group);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t place = (first_row + r) * groups + g;
      for (int n = 0; n < kRows; ++n) {
        out[r * kRows + n] +=
            x.scale[place] * group_value<Class>(group, n, x.q + place * kGroup, x.sum16 + place * 2);
      }
    }
  }
}

}  // namespace

void install_integer_panels(KernelTable& table) {
  table.integer_panel(WeightClass::kInt4) = panel<Int4>;
  table.integer_panel(WeightClass::kInt4Half) = panel<Int4Half>;
  table.integer_panel(WeightClass::kInt4Super) = panel<Int4Super>;
  table.integer_panel(WeightClass::kInt6Super) = panel<Int6Super>;
  table.integer_panel(WeightClass::kInt8) = panel<Int8>;
  table.integer_panel(WeightClass::kInt8Half) = panel<Int8Half>;
  table.integer_panel(WeightClass::kInt8Fine) = panel<Int8Fine>;
}

}  // namespace ink::portable
