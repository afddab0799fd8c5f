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

// Each of these reads the scales of one group after the other, from a group on that begins a super-block.

template <int kPartCount, bool kHasOffsets>
class FloatScales {
 public:
  static constexpr int kParts = kPartCount;
  static constexpr bool kOffsets = kHasOffsets;

  FloatScales(const uint8_t* plane, int64_t first_group)
      : next_(reinterpret_cast<const float*>(plane) + first_group * kFloats) {}

  void next(GroupScales<kParts>& out) {
    for (int part = 0; part < kParts; ++part) {
      for (int i = 0; i < 2; ++i) {
        out.scale[part][i] = _mm256_loadu_ps(next_ + part * kPanelRows + i * kHalf);
        if (kOffsets) out.offset[part][i] = _mm256_loadu_ps(next_ + (kParts + part) * kPanelRows + i * kHalf);
      }
    }
    next_ += kFloats;
  }

 private:
  static constexpr int64_t kFloats = kParts * (kOffsets ? 2 : 1) * kPanelRows;
  const float* next_;
};

class HalfScales {
 public:
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = false;

  HalfScales(const uint8_t* plane, int64_t first_group) : next_(plane + first_group * kPanelRows * 2) {}

  void next(GroupScales<1>& out) {
    for (int i = 0; i < 2; ++i) out.scale[0][i] = f16_to_floats(next_ + i * kHalf * 2);
    next_ += kPanelRows * 2;
  }

 private:
  const uint8_t* next_;
};

// One scale and one minimum for each group under an f16 for eight groups, which is kept meanwhile.
class SuperScalesWithMinima {
 public:
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = true;

  SuperScalesWithMinima(const uint8_t* plane, int64_t first_group)
      : next_(plane + first_group / kGroupsInSuper * (4 + 2 * kGroupsInSuper) * kPanelRows) {}

  void next(GroupScales<1>& out) {
    if (left_ == 0) begin_super();
    --left_;
    for (int i = 0; i < 2; ++i) {
      out.scale[0][i] = _mm256_mul_ps(scale_[i], bytes_to_floats(next_ + i * kHalf));
      out.offset[0][i] = _mm256_mul_ps(minimum_[i], bytes_to_floats(next_ + kPanelRows + i * kHalf));
    }
    next_ += 2 * kPanelRows;
  }

 private:
  void begin_super() {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    for (int i = 0; i < 2; ++i) {
      scale_[i] = f16_to_floats(next_ + i * kHalf * 2);
      minimum_[i] = _mm256_xor_ps(f16_to_floats(next_ + (kPanelRows + i * kHalf) * 2), sign);
    }
    next_ += 4 * kPanelRows;
    left_ = kGroupsInSuper;
  }

  const uint8_t* next_;
  int64_t left_ = 0;  // groups of this super-block
  __m256 scale_[2] = {};
  __m256 minimum_[2] = {};  // negated: an offset
};

// Two signed scales for each group under an f16 for eight groups, which is kept meanwhile.
class SuperScales {
 public:
  static constexpr int kParts = 2;
  static constexpr bool kOffsets = false;

  SuperScales(const uint8_t* plane, int64_t first_group)
      : next_(plane + first_group / kGroupsInSuper * (2 + 2 * kGroupsInSuper) * kPanelRows) {}

  void next(GroupScales<2>& out) {
    if (left_ == 0) begin_super();
    --left_;
    for (int part = 0; part < 2; ++part) {
      for (int i = 0; i < 2; ++i) {
        const __m256 small = signed_bytes_to_floats(next_ + part * kPanelRows + i * kHalf);
        out.scale[part][i] = _mm256_mul_ps(scale_[i], small);
      }
    }
    next_ += 2 * kPanelRows;
  }

 private:
  void begin_super() {
    for (int i = 0; i < 2; ++i) scale_[i] = f16_to_floats(next_ + i * kHalf * 2);
    next_ += 2 * kPanelRows;
    left_ = kGroupsInSuper;
  }

  const uint8_t* next_;
  int64_t left_ = 0;  // groups of this super-block
  __m256 scale_[2] = {};
};

}  // namespace
}  // namespace ink
