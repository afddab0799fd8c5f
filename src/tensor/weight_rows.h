// A weight matrix of a file, read row by row: the one face that packing, embedding look-ups and estimates
// see, whatever the file's format. A format says which kind of numbers its rows are made of, and gives them;
// the layouts stay behind this interface.
//
// Every matrix can be read as floats, and these are exact: the values of the reference implementation. A kind
// of integers may be coarser than that where a format has no scale that 32 neighbours share (activation
// order, FP8); such a format says so and how much in its own file.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/threads.h"
#include "tensor/dtype.h"
#include "tensor/quants.h"

namespace ink {

enum class RowKind {
  kF32,
  kF16,
  kBF16,
  kNibbles,  // q in 0..15; one scale and one offset over each 32 columns (both halves of a Group32 are equal)
  kHalfNibbles,   // the same with q standing for q - 8, under a scale in f16 (Q4_0)
  kSuperNibbles,  // the same with two levels of scales and minima (Q4_K)
  kSuperSixBits,  // q in -32..31; two levels of scales, one for each 16 columns (Q6_K)
  kBytes,         // q in int8; one scale over each 32 columns, no offset
  kHalfBytes,     // the same under a scale in f16 (Q8_0)
  kFineBytes,     // q in int8; a scale and an offset over each 16 columns
};

class WeightRows {
 public:
  virtual ~WeightRows() = default;
  WeightRows(const WeightRows&) = delete;
  WeightRows& operator=(const WeightRows&) = delete;

  RowKind kind() const { return kind_; }
  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }  // a multiple of 32 for the kinds of integers

  // The row's `cols` values. Rows may be read by several threads at once.
  virtual void read_floats(int64_t row, float* values) const = 0;
  // For kF16 and kBF16: the row's bits, as the file has them.
  virtual void read_halves(int64_t row, uint16_t* bits) const;
  // For the kinds of integers: cols / 32 groups.
  virtual void read_groups(int64_t row, Group32* groups) const;
  // For the kinds with two levels: cols / 256 of them, which say the groups' scales again.
  virtual void read_super_scales(int64_t row, SuperScales* scales) const;

  // Words for column `col` of row `row` in a message, in the file's own terms.
  virtual std::string place(int64_t row, int64_t col) const;

 protected:
  WeightRows(RowKind kind, int64_t rows, int64_t cols) : kind_(kind), rows_(rows), cols_(cols) {}

 private:
  RowKind kind_;
  int64_t rows_;
  int64_t cols_;
};

// rows * cols elements of one type, row after row, each row whole blocks: GGUF's matrices and plain floats.
// The data stays the file's and must outlive this.
class PlainRows : public WeightRows {
 public:
  PlainRows(Dtype dtype, const std::byte* data, int64_t rows, int64_t cols);

  void read_floats(int64_t row, float* values) const override;
  void read_halves(int64_t row, uint16_t* bits) const override;
  void read_groups(int64_t row, Group32* groups) const override;
  void read_super_scales(int64_t row, SuperScales* scales) const override;

 private:
  const std::byte* row_data(int64_t row) const;

  Dtype dtype_;
  const std::byte* data_;
  uint64_t row_bytes_;
};

// One row's numbers in the kind of their matrix; one buffer per thread.
struct RowBuffer {
  std::vector<float> floats;        // for kF32, or when asked for
  std::vector<uint16_t> halves;     // for kF16 and kBF16
  std::vector<Group32> groups;      // for the kinds of integers
  std::vector<SuperScales> supers;  // and of these for the ones with two levels

  // Fills the one that belongs to the kind, or `floats`. Returns whether every number is finite.
  bool read(const WeightRows& weights, int64_t row, bool as_floats);
};

// The lowest of the rows that any thread notes, so that a message does not depend on the threads.
class LowestRow {
 public:
  void note(int64_t row) {
    int64_t lowest = row_.load();
    while (row < lowest && !row_.compare_exchange_weak(lowest, row)) {
    }
  }
  std::optional<int64_t> get() const {
    const int64_t row = row_.load();
    return row == kNone ? std::nullopt : std::optional(row);
  }

 private:
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> row_{kNone};
};

// The place of the row's first value that is not finite, and of the whole matrix's.
std::string not_finite_place(const WeightRows& weights, int64_t row);
std::optional<std::string> find_not_finite(const WeightRows& weights, ThreadPool& threads);

}  // namespace ink
