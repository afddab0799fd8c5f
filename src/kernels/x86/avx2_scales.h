// The scale planes of integer panels (kernels/kernel_table.h) with AVX2: for one group, the scales and
// offsets of eight outputs a register. Everything is static: see avx2_vectors.h.
#pragma once

#include "kernels/kernel_table.h"
#include "kernels/x86/avx2_vectors.h"

namespace ink {
namespace {

inline constexpr int kHalf = kPanelRows / 2;  // outputs in one register

// [part of the group][half of the panel]

template <int kParts>
struct GroupScales {
  __m256 scale[kParts][2];
  __m256 offset[kParts][2];
};

inline __m256 f16_to_floats(const uint8_t* halves) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
}
inline __m256 bytes_to_floats(const uint8_t* bytes) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes))));
}
inline __m256 signed_bytes_to_floats(const uint8_t* bytes) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes))));
}

template <int kPartCount, bool kHasOffsets>
struct FloatScales {
  static constexpr int kParts = kPartCount;
  static constexpr bool kOffsets = kHasOffsets;
  static void read(const uint8_t* plane, int64_t group, GroupScales<kParts>& out) {
    const float* scales =
        reinterpret_cast<const float*>(plane) + group * kParts * (kOffsets ? 2 : 1) * kPanelRows;
    for (int part = 0; part < kParts; ++part) {
      for (int i = 0; i < 2; ++i) {
        out.scale[part][i] = _mm256_loadu_ps(scales + part * kPanelRows + i * kHalf);
        if (kOffsets)
          out.offset[part][i] = _mm256_loadu_ps(scales + (kParts + part) * kPanelRows + i * kHalf);
      }
    }
  }
};

struct HalfScales {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = false;
  static void read(const uint8_t* plane, int64_t group, GroupScales<1>& out) {
    for (int i = 0; i < 2; ++i) out.scale[0][i] = f16_to_floats(plane + (group * kPanelRows + i * kHalf) * 2);
  }
};

// One scale and one minimum for each group under an f16 for eight groups.
struct SuperScalesWithMinima {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = true;
  static void read(const uint8_t* plane, int64_t group, GroupScales<1>& out) {
    const uint8_t* super = plane + group / kGroupsInSuper * (4 + 2 * kGroupsInSuper) * kPanelRows;
    const uint8_t* small = super + (4 + 2 * (group % kGroupsInSuper)) * kPanelRows;
    const __m256 sign = _mm256_set1_ps(-0.0f);
    for (int i = 0; i < 2; ++i) {
      out.scale[0][i] =
          _mm256_mul_ps(f16_to_floats(super + i * kHalf * 2), bytes_to_floats(small + i * kHalf));
      const __m256 minimum = _mm256_mul_ps(f16_to_floats(super + (kPanelRows + i * kHalf) * 2),
                                           bytes_to_floats(small + kPanelRows + i * kHalf));
      out.offset[0][i] = _mm256_xor_ps(minimum, sign);
    }
  }
};

// Two signed scales for each group under an f16 for eight groups.
struct SuperScales {
  static constexpr int kParts = 2;
  static constexpr bool kOffsets = false;
  static void read(const uint8_t* plane, int64_t group, GroupScales<2>& out) {
    const uint8_t* super = plane + group / kGroupsInSuper * (2 + 2 * kGroupsInSuper) * kPanelRows;
    const uint8_t* small = super + (2 + 2 * (group % kGroupsInSuper)) * kPanelRows;
    for (int part = 0; part < 2; ++part) {
      for (int i = 0; i < 2; ++i) {
        out.scale[part][i] = _mm256_mul_ps(f16_to_floats(super + i * kHalf * 2),
                                           signed_bytes_to_floats(small + part * kPanelRows + i * kHalf));
      }
    }
  }
};

}  // namespace
}  // namespace ink
