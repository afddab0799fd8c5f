// Panels of integer weights with AVX2 and VNNI: the same bits as portable/integer_panels.cpp. dpbusd
// multiplies unsigned by signed bytes and adds four products to a 32-bit sum, so that nothing can overflow on
// the way; what the unsigned weights are too large by is taken off through the sum of x.
#include "kernels/x86/avx2_panels.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

template <int kRows>
using Sums = __m256i[kRows][2];

template <int kRows>
inline void begin(Sums<kRows>& sums) {
  for (auto& row : sums) row[0] = row[1] = _mm256_setzero_si256();
}

template <int kRows>
inline void add(const Rows& x, int64_t col, __m256i left, __m256i right, Sums<kRows>& sums) {
  for (int r = 0; r < kRows; ++r) {
    const __m256i columns = x.columns(r, col);
    sums[r][0] = _mm256_dpbusd_avx_epi32(sums[r][0], left, columns);
    sums[r][1] = _mm256_dpbusd_avx_epi32(sums[r][1], right, columns);
  }
}

template <int kRows>
inline void begin_at(const Rows& x, int64_t group, int parts, int part, int32_t excess, Sums<kRows>& sums) {
  for (int r = 0; r < kRows; ++r) {
    const int32_t sum = parts == 1 ? x.group_sum(r, group) : x.half_sum(r, group, part);
    sums[r][0] = sums[r][1] = _mm256_set1_epi32(-excess * sum);
  }
}

struct Nibbles {
  static constexpr int64_t kGroupBytes = kGroup / 2 * kPanelRows;

  template <int kRows>
  static void dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<1, kRows>& out) {
    begin(out.value[0]);
    add_all(x, group, weights, out.value[0]);
  }

  template <int kRows>
  static void add_all(const Rows& x, int64_t group, const uint8_t* weights, Sums<kRows>& sums) {
    const __m256i low_half = _mm256_set1_epi8(15);
    for (int j = 0; j < 4; ++j) {
      const __m256i left = load_bytes(weights + j * kPanelRows * 4);
      const __m256i right = load_bytes(weights + (j * kPanelRows + kHalf) * 4);
      const int64_t col = group * kGroup + 4 * j;
      add(x, col, _mm256_and_si256(left, low_half), _mm256_and_si256(right, low_half), sums);
      add(x, col + 16, _mm256_and_si256(_mm256_srli_epi16(left, 4), low_half),
          _mm256_and_si256(_mm256_srli_epi16(right, 4), low_half), sums);
    }
  }
};

// Nibbles that stand for q + 8.
struct SignedNibbles : Nibbles {
  template <int kRows>
  static void dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<1, kRows>& out) {
    begin_at(x, group, 1, 0, 8, out.value[0]);
    add_all(x, group, weights, out.value[0]);
  }
};

// Six bits that stand for q + 32.
struct SixBits {
  static constexpr int64_t kGroupBytes = (kGroup / 2 + kGroup / 4) * kPanelRows;

  // Eight outputs' weights of step j (0..7) of a group.
  static __m256i weights_of(const uint8_t* weights, int j, int i) {
    const __m256i nibbles = load_bytes(weights + (j % 4 * kPanelRows + i * kHalf) * 4);
    const __m256i low = j < 4 ? nibbles : _mm256_srli_epi16(nibbles, 4);
    const __m256i bits = load_bytes(weights + kGroup / 2 * kPanelRows + (j % 2 * kPanelRows + i * kHalf) * 4);
    const int shift = j / 2 * 2;
    const __m256i placed =
        shift <= 4 ? _mm256_slli_epi16(bits, 4 - shift) : _mm256_srli_epi16(bits, shift - 4);
    return _mm256_or_si256(_mm256_and_si256(low, _mm256_set1_epi8(15)),
                           _mm256_and_si256(placed, _mm256_set1_epi8(48)));
  }

  template <int kRows>
  static void dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<2, kRows>& out) {
    for (int part = 0; part < 2; ++part) {
      begin_at(x, group, 2, part, 32, out.value[part]);
      for (int j = 4 * part; j < 4 * part + 4; ++j)
        add(x, group * kGroup + 4 * j, weights_of(weights, j, 0), weights_of(weights, j, 1), out.value[part]);
    }
  }
};

// Signed bytes, made unsigned by adding 128.
struct Bytes {
  static constexpr int64_t kGroupBytes = kGroup * kPanelRows;

  template <int kParts, int kRows>
  static void dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<kParts, kRows>& out) {
    constexpr int kSteps = kGroup / 4 / kParts;
    const __m256i sign = _mm256_set1_epi8(-128);
    for (int part = 0; part < kParts; ++part) {
      begin_at(x, group, kParts, part, 128, out.value[part]);
      for (int j = part * kSteps; j < (part + 1) * kSteps; ++j) {
        const __m256i left = load_bytes(weights + j * kPanelRows * 4);
        const __m256i right = load_bytes(weights + (j * kPanelRows + kHalf) * 4);
        add(x, group * kGroup + 4 * j, _mm256_xor_si256(left, sign), _mm256_xor_si256(right, sign),
            out.value[part]);
      }
    }
  }
};

}  // namespace

void install_avx2_vnni_integer_panels(KernelTable& table) {
  install_panels<Nibbles, SignedNibbles, SixBits, Bytes>(table);
}

}  // namespace ink
