// See runtime/importance_collector.h.
#include "runtime/importance_collector.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "runtime/scheduler.h"

namespace ink {
namespace {

// The sums behind one matrix, or one expert's.
struct Sums {
  std::vector<double> squares;  // [columns]
  int64_t rows = 0;

  void add(Tensor x) {
    squares.resize(static_cast<size_t>(x.cols));
    for (int64_t r = 0; r < x.rows; ++r) {
      const float* row = x.row(r);
      for (size_t i = 0; i < squares.size(); ++i)
        squares[i] += static_cast<double>(row[i]) * static_cast<double>(row[i]);
    }
    rows += x.rows;
  }
};
using SumsByMatrix = std::unordered_map<const PackedMatrix*, Sums>;

Status add_to(ImportanceMatrix& matrix, const MatrixName& name, const Sums& sums) {
  ImportanceMatrix::Entry& entry = matrix.entries[name.tensor];
  const auto columns = static_cast<int64_t>(sums.squares.size());
  if (entry.columns == 0) {
    entry.experts = name.experts;
    entry.columns = columns;
    entry.sums.resize(static_cast<size_t>(name.experts * columns));
    entry.counts.resize(static_cast<size_t>(name.experts));
  }
  float* out = entry.sums.data() + name.expert * columns;
  for (size_t i = 0; i < sums.squares.size(); ++i) {
    out[i] = static_cast<float>(sums.squares[i]);
    if (!std::isfinite(out[i]))
      return Error{ErrorKind::kInvalid, name.tensor, "finite activations", "NaN or infinity in front of it",
                   "inkstone verify tells whether the model runs right here"};
  }
  entry.counts[static_cast<size_t>(name.expert)] = static_cast<float>(sums.rows);
  return Done{};
}

}  // namespace

Result<ImportanceMatrix> collect_importance(const std::shared_ptr<const Engine>& engine,
                                            std::span<const int32_t> ids, const CollectOptions& options) {
  const auto context = static_cast<size_t>(engine->options().context_tokens);
  const size_t size = std::min(context, ids.size());
  if (size == 0) return Error{ErrorKind::kInvalid, options.dataset, "a text", "none", ""};
  size_t chunks = ids.size() / size;
  if (options.chunks > 0) chunks = std::min(chunks, static_cast<size_t>(options.chunks));
  SumsByMatrix sums;
  auto scheduler =
      Scheduler::create(engine, [&](Tensor x, const Linear& linear) { sums[linear.weight].add(x); });
  if (!scheduler.ok()) return scheduler.error();
  const auto sequence = (*scheduler)->open_sequence();
  if (!sequence.ok()) return sequence.error();
  for (size_t i = 0; i < chunks; ++i) {
    if (options.progress && !options.progress(static_cast<double>(i) / static_cast<double>(chunks)))
      return Error{ErrorKind::kCancelled, options.dataset, "", "stopped; nothing was written", ""};
    (*scheduler)->truncate(*sequence, 0);
    // All logits are asked for, so that the head, too, is seen with every token.
    const Feed feed{*sequence, ids.subspan(i * size, size), true};
    const Status fed =
        (*scheduler)->forward(std::span(&feed, 1), [](size_t, int64_t, std::span<float>) { return true; });
    if (!fed.ok()) return fed.error();
  }
  ImportanceMatrix matrix;
  matrix.datasets = {options.dataset};
  matrix.chunks = static_cast<uint32_t>(chunks);
  matrix.chunk_tokens = static_cast<uint32_t>(size);
  for (const auto& [packed, its_sums] : sums) {
    const MatrixName* name = engine->model().name_of(packed);
    INK_CHECK(name != nullptr, "a model runs its own matrices");
    const Status added = add_to(matrix, *name, its_sums);
    if (!added.ok()) return added.error();
  }
  return matrix;
}

}  // namespace ink
