// Up to eight groups of a panel as the tiles want them: weights as signed bytes, scales as floats. Unpacked
// once for all rows of a pass. The vectors are those of GCC and Clang, for any processor; `Machine` gives the
// one operation that they lack. Everything is static: see avx2_vectors.h.
#pragma once

#include "kernels/kernel_table.h"

namespace ink {
namespace {

using Floats16 = float __attribute__((vector_size(64)));
using Ints16 = int32_t __attribute__((vector_size(64)));
using Bytes64 = uint8_t __attribute__((vector_size(64)));
using Words16 = uint32_t __attribute__((vector_size(64)));

inline constexpr int kBlockGroups = kGroupsInSuper;
inline constexpr int kTileGroupBytes = kGroup * kPanelRows;

// Weights: a block of groups as tiles of signed bytes [8][16][4], in `space` unless they already are.

struct BytesForTiles {
  static constexpr int64_t kGroupBytes = kTileGroupBytes;
  static const uint8_t* unpack(const uint8_t* weights, int64_t, uint8_t*) { return weights; }
};

inline void load_words(const uint8_t* bytes, Words16& words) {
  __builtin_memcpy(&words, bytes, sizeof words);
}
inline void store_less(const Words16& words, uint8_t zero, uint8_t* out) {
  const Bytes64 bytes = reinterpret_cast<Bytes64>(words) - zero;
  __builtin_memcpy(out, &bytes, sizeof bytes);
}

template <int kZero>
struct NibblesForTiles {
  static constexpr int64_t kGroupBytes = kTileGroupBytes / 2;
  static const uint8_t* unpack(const uint8_t* weights, int64_t groups, uint8_t* space) {
    for (int64_t i = 0; i < 4 * groups; ++i) {
      Words16 both;
      load_words(weights + i * 64, both);
      uint8_t* out = space + i / 4 * kTileGroupBytes + i % 4 * 64;
      store_less(both & 0x0f0f0f0f, kZero, out);
      store_less(both >> 4 & 0x0f0f0f0f, kZero, out + 4 * 64);
    }
    return space;
  }
};

struct SixBitsForTiles {
  static constexpr int64_t kGroupBytes = kTileGroupBytes / 4 * 3;
  static const uint8_t* unpack(const uint8_t* weights, int64_t groups, uint8_t* space) {
    for (int64_t i = 0; i < 4 * groups; ++i) {
      const uint8_t* group = weights + i / 4 * kGroupBytes;
      const auto j = static_cast<unsigned>(i % 4);
      Words16 low;
      Words16 high;  // of columns 4j, then from the fifth bit on of columns 16 + 4j
      load_words(group + j * 64, low);
      load_words(group + (4 + j % 2) * 64, high);
      high >>= j / 2 * 2;
      uint8_t* out = space + i / 4 * kTileGroupBytes + j * 64;
      store_less((low & 0x0f0f0f0f) | (high << 4 & 0x30303030), 32, out);
      store_less((low >> 4 & 0x0f0f0f0f) | (high & 0x30303030), 32, out + 4 * 64);
    }
    return space;
  }
};

// Scale planes: for one group, scales and offsets of all rows of a panel.

template <typename Byte>
inline void widen_bytes(const uint8_t* bytes, Floats16& out) {
  Byte small __attribute__((vector_size(16)));
  __builtin_memcpy(&small, bytes, sizeof small);
  out = __builtin_convertvector(__builtin_convertvector(small, Ints16), Floats16);
}

template <int kPartCount, bool kHasOffsets>
struct FloatScalesOfTiles {
  static constexpr int kParts = kPartCount;
  static constexpr bool kOffsets = kHasOffsets;
  template <typename Machine>
  static void read(const uint8_t* plane, int64_t group, Floats16* scale, Floats16* offset) {
    const uint8_t* scales = plane + group * kParts * (kOffsets ? 2 : 1) * kPanelRows * 4;
    __builtin_memcpy(scale, scales, sizeof *scale * kParts);
    if (kOffsets) __builtin_memcpy(offset, scales + sizeof *scale * kParts, sizeof *offset * kParts);
  }
};

struct HalfScalesOfTiles {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = false;
  template <typename Machine>
  static void read(const uint8_t* plane, int64_t group, Floats16* scale, Floats16*) {
    Machine::widen_halves(plane + group * kPanelRows * 2, *scale);
  }
};

struct SuperScalesWithMinimaOfTiles {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = true;
  template <typename Machine>
  static void read(const uint8_t* plane, int64_t group, Floats16* scale, Floats16* offset) {
    const uint8_t* super = plane + group / kGroupsInSuper * (4 + 2 * kGroupsInSuper) * kPanelRows;
    const uint8_t* small = super + (4 + 2 * (group % kGroupsInSuper)) * kPanelRows;
    Floats16 factor;
    Floats16 whole;
    Machine::widen_halves(super, factor);
    widen_bytes<uint8_t>(small, whole);
    *scale = factor * whole;
    Machine::widen_halves(super + kPanelRows * 2, factor);
    widen_bytes<uint8_t>(small + kPanelRows, whole);
    *offset = -(factor * whole);
  }
};

struct SuperScalesOfTiles {
  static constexpr int kParts = 2;
  static constexpr bool kOffsets = false;
  template <typename Machine>
  static void read(const uint8_t* plane, int64_t group, Floats16* scale, Floats16*) {
    const uint8_t* super = plane + group / kGroupsInSuper * (2 + 2 * kGroupsInSuper) * kPanelRows;
    const uint8_t* small = super + (2 + 2 * (group % kGroupsInSuper)) * kPanelRows;
    Floats16 factor;
    Machine::widen_halves(super, factor);
    for (int part = 0; part < 2; ++part) {
      Floats16 whole;
      widen_bytes<int8_t>(small + part * kPanelRows, whole);
      scale[part] = factor * whole;
    }
  }
};

template <int kParts>
struct PanelBlock {
  // Reads `count` groups from `first` on, at most kBlockGroups.
  template <typename Machine, typename Weights, typename Scales>
  void read(const uint8_t* panel, const uint8_t* plane, int64_t first, int64_t count) {
    groups = count;
    weights = Weights::unpack(panel + first * Weights::kGroupBytes, count, space);
    for (int64_t i = 0; i < count; ++i) Scales::template read<Machine>(plane, first + i, scale[i], offset[i]);
  }

  int64_t groups;
  const uint8_t* weights;  // tiles of kTileGroupBytes
  Floats16 scale[kBlockGroups][kParts];
  Floats16 offset[kBlockGroups][kParts];
  alignas(64) uint8_t space[kBlockGroups * kTileGroupBytes];
};

}  // namespace
}  // namespace ink
