// The text of x86/amx_panels.h, run on a model of the tiles: bit-equal to the portable panels. That the real
// instructions do what the model does is left to the check that a table must pass before it is offered
// (kernels/self_check.h).
#include "kernels/portable/portable.h"
#include "kernels/self_check.h"
#include "tests/kernels/integer_inputs.h"
#include "tests/kernels/tile_model.h"

namespace ink {
namespace {

using testing::IntegerClass;

template <typename Machine>
KernelTable table_with_tiles() {
  KernelTable table = portable_kernels();
  table.name = "amx on a model";
  install_tile_panels<Machine>(table);
  return table;
}

const KernelTable& modelled_table() {
  static const KernelTable table = table_with_tiles<TileModel>();
  return table;
}

// `rows` rows from the third of more.
void expect_portable_bits(const IntegerClass& type, testing::Pattern pattern, int64_t rows, int64_t cols) {
  SCOPED_TRACE(::testing::Message() << type.name << " pattern " << static_cast<int>(pattern) << " " << rows
                                    << "x" << cols);
  testing::Random random(static_cast<uint32_t>(rows * 10000 + cols));
  const testing::Panel panel = make_panel(type, pattern, cols, random);
  const testing::Activations x = make_activations(pattern, rows + 3, cols, random);
  const int64_t before = TileModel::products();
  const std::vector<float> out = multiply(modelled_table(), type, x.rows, 2, rows, panel);
  EXPECT_TRUE(testing::same_floats(out, multiply(portable_kernels(), type, x.rows, 2, rows, panel)));
  EXPECT_FALSE(TileModel::configured()) << "tiles are left to the next task switch";
  const int64_t tiles = rows < 16 ? 0 : (rows + 15) / 16;
  EXPECT_EQ(TileModel::products() - before, tiles * cols / kGroup * type.parts);
}

TEST(AmxPanels, OfAnyShapeGiveThePortableBits) {
  constexpr int64_t kRowCounts[] = {1,  2,  3,  4,  5,  6,  7,  8,  15,  16, 17,
                                    31, 32, 33, 48, 63, 64, 65, 81, 128, 131};
  for (const IntegerClass& type : testing::kClasses) {
    for (const int64_t rows : kRowCounts) {
      for (const int64_t cols : {32, 64, 96, 224, 256, 288, 512, 1056}) {
        if (type.super && cols % 256 != 0) continue;
        expect_portable_bits(type, testing::Pattern::kRandom, rows, cols);
      }
    }
  }
}

TEST(AmxPanels, ExtremesGiveThePortableBits) {
  for (const IntegerClass& type : testing::kClasses) {
    for (const testing::Pattern pattern : testing::kPatterns) {
      for (const int64_t rows : {16, 33, 64}) {
        expect_portable_bits(type, pattern, rows, 256);
        expect_portable_bits(type, pattern, rows, 1024);
      }
    }
  }
}

TEST(AmxPanels, ANanScaleShowsInItsRowOnly) {
  for (const IntegerClass& type : testing::kClasses) {
    for (const int64_t row : {0, 15, 16, 17}) {
      SCOPED_TRACE(::testing::Message() << type.name << " row " << row);
      testing::Random random(2);
      const testing::Panel panel = make_panel(type, testing::Pattern::kRandom, 256, random);
      testing::Activations x = make_activations(testing::Pattern::kRandom, 18, 256, random);
      x.scale[testing::index(row * 256 / kGroup + 1)] = NAN;
      const std::vector<float> out = multiply(modelled_table(), type, x.rows, 0, 18, panel);
      EXPECT_TRUE(testing::same_floats(out, multiply(portable_kernels(), type, x.rows, 0, 18, panel)));
      for (size_t i = 0; i < out.size(); ++i)
        EXPECT_EQ(std::isnan(out[i]), i / kPanelRows == testing::index(row));
    }
  }
}

// A processor whose tiles give one product too much.
struct WrongTiles : TileModel {
  template <int kTile>
  static void store(void* rows, int64_t stride) {
    TileModel::store<kTile>(rows, stride);
    *static_cast<int32_t*>(rows) += 1;
  }
};

TEST(AmxPanels, ProveThemselvesUnlessTheTilesAreWrong) {
  const int64_t before = TileModel::products();
  EXPECT_TRUE(same_integer_panels(modelled_table(), portable_kernels()));
  EXPECT_GT(TileModel::products(), before) << "the check does not reach the tiles";
  EXPECT_FALSE(same_integer_panels(table_with_tiles<WrongTiles>(), portable_kernels()));
}

}  // namespace
}  // namespace ink
