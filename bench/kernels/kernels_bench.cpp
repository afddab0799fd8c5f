// How near the panel kernels come to what the machine can do, on one thread: for one row of x (decode) bytes
// of weights per second against the read bandwidth measured in the same run, for 64 rows (prefill) operations
// per second.
//
// Work is timed in pieces of about a megabyte and the median piece counts: on a machine that others use too,
// a piece is short enough that most are not interrupted. Weights are random bytes; a working set of 256 MiB
// is walked from end to end so that no cache can hold it. Attention (CLASS "attention") is measured alike:
// one token with two, four and eight heads reads keys and values of a context of 8,192 tokens, a tile of 16
// tokens multiplies with them.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/arena.h"
#include "kernels/cpu_ops.h"
#include "kernels/panel_layout.h"
#include "kernels/probe.h"

namespace ink {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kWorkingSetBytes = size_t{256} << 20;
constexpr size_t kPieceBytes = size_t{1} << 20;

struct PanelClass {
  const char* name;
  WeightClass weight_class;
};
constexpr PanelClass kClasses[] = {
    {"f32", WeightClass::kF32},
    {"f16", WeightClass::kF16},
    {"bf16", WeightClass::kBF16},
    {"int4", WeightClass::kInt4},
    {"int4_half", WeightClass::kInt4Half},
    {"int4_super", WeightClass::kInt4Super},
    {"int6_super", WeightClass::kInt6Super},
    {"int8", WeightClass::kInt8},
    {"int8_half", WeightClass::kInt8Half},
    {"int8_fine", WeightClass::kInt8Fine},
};

// Bytes that are harmless as weights of every class: floats near one, integers over their whole range.
void fill_with_random_words(std::byte* memory, size_t bytes) {
  uint32_t state = 1;
  for (size_t at = 0; at < bytes; at += sizeof state) {
    state = state * 1664525u + 1013904223u;
    const uint32_t word =
        (state & 0x83ff83ffu) | 0x3c003c00u;  // exponents of 1 in f16, small ones in bf16 and f32
    std::memcpy(memory + at, &word, sizeof word);
  }
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double>& values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

struct Activations {
  std::vector<float> x;
  std::vector<int8_t> q;
  std::vector<float> scale;
  std::vector<int32_t> sum16;

  Activations(int64_t rows, int64_t cols)
      : x(static_cast<size_t>(rows * cols)),
        q(x.size()),
        scale(x.size() / kGroup, 0.01f),
        sum16(x.size() / 16, 3) {
    for (size_t i = 0; i < x.size(); ++i) {
      q[i] = static_cast<int8_t>(static_cast<int>(i * 37 % 255) - 127);
      x[i] = 0.01f * static_cast<float>(q[i]);
    }
  }
};

// Median seconds per panel over a walk through `memory`.
double seconds_per_panel(const KernelTable& table, const PanelClass& type, int64_t rows, int64_t cols,
                         const std::byte* memory, size_t bytes_to_walk) {
  Activations activations(rows, cols);
  const QuantizedRows quantized = {activations.q.data(), activations.scale.data(), activations.sum16.data(),
                                   cols};
  std::vector<float> out(static_cast<size_t>(rows * kPanelRows));
  const auto weight_bytes = static_cast<size_t>(panel_bytes(type.weight_class, cols));
  const auto scale_bytes = static_cast<size_t>(panel_scale_bytes(type.weight_class, cols));
  const size_t bytes = weight_bytes + scale_bytes;
  const size_t panels_per_piece = rows > 1 ? 1 : std::max<size_t>(1, kPieceBytes / bytes);
  const size_t panels = bytes_to_walk / bytes / panels_per_piece * panels_per_piece;
  // As in a packed matrix, the scales of all panels lie behind the weights of all panels.
  const std::byte* scales = memory + panels * weight_bytes;

  std::vector<double> seconds;
  for (size_t first = 0; first < panels; first += panels_per_piece) {
    const auto start = Clock::now();
    for (size_t i = first; i < first + panels_per_piece; ++i) {
      const std::byte* panel = memory + i * weight_bytes;
      if (is_integer_class(type.weight_class)) {
        table.integer_panel(type.weight_class)(quantized, 0, rows, panel, scales + i * scale_bytes,
                                               out.data());
      } else {
        const auto function = type.weight_class == WeightClass::kF32   ? table.panel_f32
                              : type.weight_class == WeightClass::kF16 ? table.panel_f16
                                                                       : table.panel_bf16;
        function(activations.x.data(), rows, cols, panel, out.data());
      }
    }
    seconds.push_back(seconds_since(start) / static_cast<double>(panels_per_piece));
  }
  return median(seconds);
}

void measure(const KernelTable& table, const PanelClass& type, int64_t cols, int64_t rows,
             const std::byte* memory, ReadProbe& probe) {
  const auto bytes =
      static_cast<double>(panel_bytes(type.weight_class, cols) + panel_scale_bytes(type.weight_class, cols));
  const double bandwidth = probe.measure();
  const double rate = bytes / seconds_per_panel(table, type, 1, cols, memory, kWorkingSetBytes);
  const double operations = 2.0 * static_cast<double>(rows * cols * kPanelRows);
  const double many = seconds_per_panel(table, type, rows, cols, memory, kWorkingSetBytes / 16);
  std::printf("%-9s %-10s %6lld   %6.1f of %5.1f GB/s %4.0f %%   %7.1f GOP/s\n", table.name, type.name,
              static_cast<long long>(cols), rate / 1e9, bandwidth / 1e9, 100.0 * rate / bandwidth,
              operations / many / 1e9);
}

constexpr int64_t kHeadDim = 128;
constexpr int64_t kContextTokens = kSpanTokens;

// Median seconds of one call for `tokens` tokens with `heads` heads at the end of a context, each call with
// other keys and values.
double seconds_of_attention(const KernelTable& table, KvType type, int64_t tokens, int64_t heads,
                            const std::byte* memory) {
  const int64_t rows = tokens * heads;
  std::vector<float> q(static_cast<size_t>(rows * kHeadDim), 0.01f);
  std::vector<float> sums(static_cast<size_t>(rows * (kHeadDim + 2)));
  std::vector<float> scratch(static_cast<size_t>(attention_scratch_floats(rows, kHeadDim)));
  std::vector<int16_t> rounded_q(q.size());
  std::vector<float> q_scale(static_cast<size_t>(rows));
  AttentionTile tile = {};
  tile.q = q.data();
  tile.token_stride = heads * kHeadDim;
  tile.scale = 0.1f;
  tile.rounded_q = rounded_q.data();
  tile.q_scale = q_scale.data();
  tile.tokens = tokens;
  tile.heads = heads;
  tile.head_dim = kHeadDim;
  tile.type = type;
  tile.first_length = kContextTokens - tokens + 1;
  tile.scratch = scratch.data();
  tile.sums = {sums.data(), sums.data() + rows * kHeadDim, sums.data() + rows * (kHeadDim + 1)};
  const int64_t page_bytes = kv_page_bytes(type, kHeadDim);
  const int64_t pages = kContextTokens / kKvPageTokens;
  std::vector<const std::byte*> k_pages;
  std::vector<const std::byte*> v_pages;
  std::vector<double> seconds;
  constexpr size_t kPoolBytes = kWorkingSetBytes / 2;  // keys in the first half, values in the other
  for (size_t at = 0; at + static_cast<size_t>(pages * page_bytes) <= kPoolBytes;) {
    k_pages.clear();
    v_pages.clear();
    for (int64_t p = 0; p < pages; ++p, at += static_cast<size_t>(page_bytes)) {
      k_pages.push_back(memory + at);
      v_pages.push_back(memory + kPoolBytes + at);
    }
    const auto start = Clock::now();
    if (is_integer_type(type)) round_queries(table, tile, rounded_q.data(), q_scale.data());
    tile.k_pages = k_pages.data();
    tile.v_pages = v_pages.data();
    table.attend(tile);
    seconds.push_back(seconds_since(start));
  }
  return median(seconds);
}

void measure_attention(const KernelTable& table, const std::byte* memory, ReadProbe& probe) {
  const struct {
    const char* name;
    KvType type;
  } types[] = {{"f32", KvType::kF32}, {"f16", KvType::kF16}, {"i16", KvType::kInt16}, {"i8", KvType::kInt8}};
  for (const auto& [name, type] : types) {
    const double bandwidth = probe.measure();
    const auto bytes =
        static_cast<double>(2 * kContextTokens / kKvPageTokens * kv_page_bytes(type, kHeadDim));
    for (const int64_t heads : {2, 4, 8}) {
      const double rate = bytes / seconds_of_attention(table, type, 1, heads, memory);
      const int64_t tokens = 32 / heads;
      const double operations = 4.0 * static_cast<double>(32 * kContextTokens * kHeadDim);
      const double many = seconds_of_attention(table, type, tokens, heads, memory);
      std::printf("%-9s %-4s %lld heads        %6.1f of %5.1f GB/s %4.0f %%   %7.1f GFLOP/s with 32 rows\n",
                  table.name, name, static_cast<long long>(heads), rate / 1e9, bandwidth / 1e9,
                  100.0 * rate / bandwidth, operations / many / 1e9);
    }
  }
}

}  // namespace
}  // namespace ink

// kernels_bench [TABLE] [CLASS] [ROWS]: only these, else all; ROWS instead of 64.
int main(int argc, char** argv) {
  auto pages = ink::PageMemory::reserve(ink::kWorkingSetBytes);
  if (!pages.ok()) return 1;
  ink::fill_with_random_words(pages->data(), ink::kWorkingSetBytes);
  const std::byte* memory = pages->data();
  ink::ThreadPool one_thread(1);
  auto probe = ink::ReadProbe::create(ink::kWorkingSetBytes, one_thread);
  if (!probe.ok()) return 1;
  const int64_t rows = argc > 3 ? std::max(1, std::atoi(argv[3])) : 64;
  std::printf("table     weights      cols   1 row, of read bandwidth        %lld rows\n",
              static_cast<long long>(rows));
  const ink::KernelTables& tables = ink::available_kernel_tables();
  for (int t = 0; t < tables.count; ++t) {
    if (argc > 1 && std::strcmp(argv[1], tables.table[t]->name) != 0) continue;
    for (const ink::PanelClass& type : ink::kClasses) {
      if (argc > 2 && std::strcmp(argv[2], type.name) != 0) continue;
      for (const int64_t cols : {1024, 4096})
        ink::measure(*tables.table[t], type, cols, rows, memory, *probe);
    }
    if (argc <= 2 || std::strcmp(argv[2], "attention") == 0)
      ink::measure_attention(*tables.table[t], memory, *probe);
  }
  return 0;
}
