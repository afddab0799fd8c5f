// The importance of a matrix's columns: how large the activations are that meet them, summed over a text by
// `inkstone imatrix`. The file is a GGUF in llama.cpp's layout: for each matrix NAME.in_sum2, the sums of
// squares [columns] or, for stacked experts, [experts, columns], and NAME.counts, the rows that were summed
// [1] or [experts, 1]; general.type "imatrix", imatrix.datasets, imatrix.chunk_count, imatrix.chunk_size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ink {

struct ImportanceMatrix {
  struct Entry {
    int64_t experts = 1;
    int64_t columns = 0;
    std::vector<float> sums;    // [experts, columns] of squared activations
    std::vector<float> counts;  // [experts]
  };
  std::map<std::string, Entry, std::less<>> entries;  // by the matrix's GGUF name, "blk.0.attn_q.weight"
  std::vector<std::string> datasets;                  // the names of the texts
  uint32_t chunks = 0;
  uint32_t chunk_tokens = 0;

  // Mean squares of the columns [columns] for one expert; empty when nothing is known about the matrix or
  // this expert was never chosen.
  std::vector<float> column_importance(std::string_view name, int64_t expert) const;
};

// Errors: as parse_gguf; kInvalid for a file that is not an importance matrix, sums without counts, shapes
// that do not belong together, numbers that are negative or not finite.
Result<ImportanceMatrix> read_importance(const std::filesystem::path& path);
Status write_importance(const std::filesystem::path& path, const ImportanceMatrix& matrix);

}  // namespace ink
