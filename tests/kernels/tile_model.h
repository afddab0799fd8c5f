// A model in plain C++ of the tile instructions that kernels use, after Intel's manual (volume 1, 18.3, and
// the pages of the instructions), so that the kernels' own text runs and is tested on any processor. What a
// processor refuses with a fault is a failure here.
#pragma once

#include <gtest/gtest.h>

#include <cstring>

#include "base/half.h"
#include "kernels/x86/amx_panels.h"

namespace ink {
namespace {

class TileModel {
 public:
  static void configure(const TileConfig& config) {
    uint8_t bytes[64];
    std::memcpy(bytes, &config, sizeof bytes);
    ASSERT_EQ(bytes[0], 1) << "palette";
    for (int i = 1; i < 16; ++i) ASSERT_EQ(bytes[i], 0) << "start row and reserved";
    for (int i = 32; i < 48; ++i) ASSERT_EQ(bytes[i], 0) << "tiles that palette 1 lacks";
    for (int i = 56; i < 64; ++i) ASSERT_EQ(bytes[i], 0) << "tiles that palette 1 lacks";
    for (int t = 0; t < 8; ++t) {
      tile(t) = {bytes[48 + t], bytes[16 + 2 * t] + 256 * bytes[17 + 2 * t], {}};
      ASSERT_LE(tile(t).rows, 16);
      ASSERT_LE(tile(t).row_bytes, 64);
    }
    state().configured = true;
  }
  static void release() { state().configured = false; }

  template <int kTile>
  static void zero() {
    require_configured();
    std::memset(tile(kTile).bytes, 0, sizeof tile(kTile).bytes);
  }
  template <int kTile>
  static void load(const void* rows, int64_t stride) {
    zero<kTile>();
    Tile& to = tile(kTile);
    for (int r = 0; r < to.rows; ++r)
      std::memcpy(to.bytes[r], static_cast<const char*>(rows) + r * stride,
                  static_cast<size_t>(to.row_bytes));
  }
  template <int kTile>
  static void store(void* rows, int64_t stride) {
    require_configured();
    const Tile& from = tile(kTile);
    for (int r = 0; r < from.rows; ++r)
      std::memcpy(static_cast<char*>(rows) + r * stride, from.bytes[r], static_cast<size_t>(from.row_bytes));
  }
  template <int kSums, int kX, int kWeights>
  static void add_products() {
    static_assert(kSums != kX && kSums != kWeights && kX != kWeights);
    require_configured();
    Tile& sums = tile(kSums);
    const Tile& x = tile(kX);
    const Tile& weights = tile(kWeights);
    ASSERT_EQ(x.rows, sums.rows);
    ASSERT_EQ(x.row_bytes, weights.rows * 4);
    ASSERT_EQ(weights.row_bytes, sums.row_bytes);
    for (int m = 0; m < sums.rows; ++m) {
      for (int n = 0; n < sums.row_bytes / 4; ++n) {
        int32_t sum;
        std::memcpy(&sum, sums.bytes[m] + 4 * n, sizeof sum);
        for (int k = 0; k < x.row_bytes; ++k)
          sum +=
              static_cast<int8_t>(x.bytes[m][k]) * static_cast<int8_t>(weights.bytes[k / 4][4 * n + k % 4]);
        std::memcpy(sums.bytes[m] + 4 * n, &sum, sizeof sum);
      }
    }
    ++state().products;
  }

  // Not an instruction of tiles, but of AVX-512.
  static void widen_halves(const uint8_t* halves, Floats16& out) {
    for (int i = 0; i < 16; ++i) {
      uint16_t half;
      std::memcpy(&half, halves + 2 * i, sizeof half);
      out[i] = f16_to_f32(half);
    }
  }

  // What tests ask of this thread.
  static bool configured() { return state().configured; }
  static int64_t products() { return state().products; }

 private:
  struct Tile {
    int rows;
    int row_bytes;
    uint8_t bytes[16][64];
  };
  struct State {
    bool configured;
    int64_t products;
    Tile tiles[8];
  };
  static State& state() {
    static thread_local State state = {};
    return state;
  }
  static Tile& tile(int index) { return state().tiles[index]; }
  static void require_configured() { ASSERT_TRUE(state().configured) << "tiles are used without a shape"; }
};

}  // namespace
}  // namespace ink
