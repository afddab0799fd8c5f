// A model's weights by the names of the Hugging Face checkpoint, whatever the file: GGUF's names are
// translated here. Models first ask for everything they need; then all that is missing or misshapen is
// reported in one Error, and only when nothing is wrong are the matrices packed.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "kernels/ops.h"
#include "kernels/pack.h"
#include "models/packed_file.h"
#include "models/quantized_weights.h"
#include "tensor/checkpoint.h"

namespace ink {

// What a matrix is called in a GGUF file, where the experts of a layer are stacked.
struct MatrixName {
  std::string tensor;  // "blk.3.ffn_up_exps.weight"
  int64_t expert = 0;
  int64_t experts = 1;
};

struct PlannedWeights {
  uint64_t packed_bytes = 0;  // of the matrices, once they are packed
  uint64_t parameters = 0;    // weights of the model, however they are stored; tied ones once
};

class Weights {
 public:
  // The quantization must outlive this.
  Weights(const Checkpoint& checkpoint, const Quantization& quantization, Arithmetic arithmetic);

  // NAME.weight [rows, cols], or what stands for it in a quantized checkpoint, and, if asked, NAME.bias
  // [rows]. The pointers are valid as long as the Weights; the panels are filled by pack().
  Linear linear(const std::string& name, int64_t rows, int64_t cols, bool with_bias = false);
  // PREFIX.E.NAME.weight [rows, cols] for every expert E, or one stacked tensor [experts, rows, cols] in
  // GGUF and MLX's checkpoints.
  std::vector<Linear> experts(const std::string& prefix, const std::string& name, int64_t experts,
                              int64_t rows, int64_t cols);
  // NAME.weight [size] as f32: in place where the file has aligned F32, else converted.
  const float* vector(const std::string& name, int64_t size);
  // NAME.weight [rows, cols], read in place; null where there is a problem. An embedding may be tied to the
  // head.
  const WeightRows* in_place(const std::string& name, int64_t rows, int64_t cols);
  const WeightRows* embedding(const std::string& name, int64_t rows, int64_t cols);
  // The rows, as the file has them, of a matrix that was asked for before; null where there was a problem.
  const WeightRows* rows_of(const std::string& name) const;

  // Reports every problem at once, or packs everything, or takes it from the file at `place`, which is
  // written if it is not there yet. Errors: kNotFound (missing), kInvalid (shape, numbers that are not
  // finite), kTooLarge. That the file cannot be written is no error.
  Status pack(ThreadPool& threads, const std::function<void(double)>& progress, const PackedPlace* place);

  PlannedWeights planned() const;  // what was asked for and found
  uint64_t size_bytes() const;     // of the packed matrices
  // Null for a matrix of somebody else's.
  const MatrixName* name_of(const PackedMatrix* matrix) const;

 private:
  struct Pending {
    std::string name;
    PackedMatrix* matrix;  // null: read in place, only looked through
    const WeightRows* rows;
  };
  // A tensor's name in this file.
  std::string name_in_file(const std::string& tensor) const;
  const FileTensor* find(const std::string& tensor, const std::vector<int64_t>& shape);
  // The matrix as rows; null after a problem was noted.
  std::unique_ptr<WeightRows> open_rows(const MatrixRequest& request);
  Linear plan(const std::string& name, std::unique_ptr<WeightRows> rows);
  uint64_t packed_bytes() const;  // in a file
  void take(PackedFile& file);
  // One matrix, or numbers that are only looked through; what is wrong with them is noted.
  Status pack_one(const Pending& pending, ThreadPool& threads, std::optional<PackedFileWriter>& writer);
  const WeightRows* keep(const std::string& name, std::unique_ptr<WeightRows> rows);

  const Checkpoint& checkpoint_;
  bool bare_names_;  // "layers.0.…" instead of "model.layers.0.…"
  const Quantization& quantization_;
  Arithmetic arithmetic_;
  std::deque<PackedMatrix> matrices_;  // a deque: addresses stay valid
  std::unordered_map<const PackedMatrix*, MatrixName> names_;
  std::vector<std::unique_ptr<WeightRows>> rows_;
  std::deque<std::vector<float>> vectors_;
  std::vector<Pending> pending_;
  std::string embedding_name_;
  WeightProblems problems_;
  std::future<Status> committing_;  // the file, which takes its time to reach the disk; its end is waited for
};

// "model.layers.3.self_attn.q_proj.weight" → "blk.3.attn_q.weight", also without "model."; names without a
// counterpart stay as they are.
std::string gguf_name(const std::string& name);

}  // namespace ink
