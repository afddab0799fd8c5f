// The most that AMX can do in int8: the 16,384 products of two full tiles with each instruction.
#include "kernels/x86/amx_tiles.h"
#include "kernels/x86/x86_probes.h"

namespace ink {
namespace {

constexpr int kSums = 4;  // 16 cycles an instruction, with a latency of 52

constexpr TileConfig full_tiles() {
  TileConfig config = {};
  config.palette = 1;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = 16;
  }
  return config;
}

void run(int64_t rounds) {
  static constexpr TileConfig kConfig = full_tiles();
  Tiles::configure(kConfig);  // all tiles are 0 now
  for (int64_t round = 0; round < rounds; ++round) {
    Tiles::add_products<0, 4, 6>();
    Tiles::add_products<1, 4, 7>();
    Tiles::add_products<2, 5, 6>();
    Tiles::add_products<3, 5, 7>();
  }
  Tiles::release();
}

}  // namespace

void install_amx_probe(Int8Loop& loop) { loop = {int64_t{2} * 16 * 16 * 64 * kSums, run}; }

}  // namespace ink
