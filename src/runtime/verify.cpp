// See runtime/verify.h. Tolerances are those of the golden README: they were measured between the reference
// implementation and itself, so a larger difference is a mistake and not rounding.
#include "runtime/verify.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/scheduler.h"

namespace ink {
namespace {

namespace fs = std::filesystem;
constexpr double kInfinite = std::numeric_limits<double>::infinity();

// The numbers of one golden model; spans point into `file`.
struct Vectors {
  Checkpoint file;
  std::vector<int32_t> input_ids;
  std::vector<int32_t> generated_ids;
  std::span<const std::byte> prefill_logits;  // f32 [prefill_rows, vocab]: of the last rows of the prompt
  int64_t prefill_rows = 0;
  std::span<const std::byte> decode_logits;  // f32 [generated_ids - 1, vocab]
};

Error misfit(const GoldenModel& golden, const std::string& tensor, const std::string& wanted,
             const std::string& got) {
  return Error{ErrorKind::kInvalid, golden.vectors.string() + ": " + golden.prefix + tensor, wanted, got, ""};
}

Result<std::vector<int32_t>> read_ids(const Checkpoint& file, const GoldenModel& golden,
                                      const std::string& name, int64_t vocab_size) {
  const FileTensor* tensor = file.find(golden.prefix + name);
  if (tensor == nullptr) return misfit(golden, name, "a tensor", "none");
  if (tensor->dtype != Dtype::kI32 || tensor->shape.size() != 1 || tensor->shape[0] < 2)
    return misfit(golden, name, "int32 [2 or more]", "another type or shape");
  std::vector<int32_t> ids(static_cast<size_t>(tensor->shape[0]));
  std::memcpy(ids.data(), tensor->bytes.data(), tensor->bytes.size());
  for (const int32_t id : ids) {
    if (id < 0 || id >= vocab_size)
      return misfit(golden, name, "ids below " + std::to_string(vocab_size), std::to_string(id));
  }
  return ids;
}

Result<const FileTensor*> find_logits(const Checkpoint& file, const GoldenModel& golden,
                                      const std::string& name, int64_t rows, int64_t vocab_size) {
  const FileTensor* tensor = file.find(golden.prefix + name);
  if (tensor == nullptr) return misfit(golden, name, "a tensor", "none");
  const bool fits = tensor->dtype == Dtype::kF32 && tensor->shape.size() == 2 && tensor->shape[0] <= rows &&
                    tensor->shape[0] > 0 && tensor->shape[1] == vocab_size;
  if (fits) return tensor;
  return misfit(golden, name,
                "f32 [at most " + std::to_string(rows) + ", " + std::to_string(vocab_size) + "]",
                "another type or shape");
}

Result<Vectors> read_vectors(const GoldenModel& golden, int64_t vocab_size) {
  auto file = Checkpoint::open(golden.vectors);
  if (!file.ok()) return file.error();
  Vectors vectors{std::move(*file), {}, {}, {}, 0, {}};
  auto input = read_ids(vectors.file, golden, "input_ids", vocab_size);
  if (!input.ok()) return input.error();
  auto generated = read_ids(vectors.file, golden, "generated_ids", vocab_size);
  if (!generated.ok()) return generated.error();
  vectors.input_ids = std::move(*input);
  vectors.generated_ids = std::move(*generated);
  const bool whole = vectors.file.find(golden.prefix + "prefill_logits") != nullptr;
  const auto prefill = find_logits(vectors.file, golden, whole ? "prefill_logits" : "prefill_logits_last_16",
                                   static_cast<int64_t>(vectors.input_ids.size()), vocab_size);
  if (!prefill.ok()) return prefill.error();
  const auto steps = static_cast<int64_t>(vectors.generated_ids.size()) - 1;
  const auto decode = find_logits(vectors.file, golden, "decode_logits", steps, vocab_size);
  if (!decode.ok()) return decode.error();
  if ((*decode)->shape[0] != steps)
    return misfit(golden, "decode_logits", std::to_string(steps) + " rows", "fewer");
  vectors.prefill_logits = (*prefill)->bytes;
  vectors.prefill_rows = (*prefill)->shape[0];
  vectors.decode_logits = (*decode)->bytes;
  return vectors;
}

// Collects differences row by row, and the spread of the expected logits.
class Differences {
 public:
  void add_row(std::span<const float> got, std::span<const std::byte> expected_rows, int64_t row) {
    const std::byte* place = expected_rows.data() + static_cast<size_t>(row) * got.size() * sizeof(float);
    for (size_t i = 0; i < got.size(); ++i) {
      float expected = 0;
      std::memcpy(&expected, place + i * sizeof(float), sizeof(float));
      const double difference = std::abs(static_cast<double>(got[i]) - static_cast<double>(expected));
      largest_ = std::isnan(difference) ? kInfinite : std::max(largest_, difference);
      sum_ += difference;
      expected_sum_ += static_cast<double>(expected);
      expected_squares_ += static_cast<double>(expected) * static_cast<double>(expected);
    }
    count_ += static_cast<double>(got.size());
  }
  double largest() const { return largest_; }
  double mean() const { return sum_ / count_; }
  double expected_deviation() const {
    const double expected_mean = expected_sum_ / count_;
    return std::sqrt(std::max(0.0, expected_squares_ / count_ - expected_mean * expected_mean));
  }

 private:
  double largest_ = 0;
  double sum_ = 0;
  double expected_sum_ = 0;
  double expected_squares_ = 0;
  double count_ = 0;
};

bool has_quantized_weights(const Checkpoint& checkpoint, const ModelConfig& config) {
  return config.quantization.method != Quantization::Method::kNone ||
         std::any_of(checkpoint.tensors().begin(), checkpoint.tensors().end(),
                     [](const FileTensor& tensor) { return dtype_info(tensor.dtype).is_quantized; });
}

void allow(GoldenReplay& replay, const Engine& engine, double expected_deviation) {
  const bool quantized = has_quantized_weights(engine.checkpoint(), engine.config());
  replay.allowed_mean = kInfinite;
  if (!quantized) {
    replay.allowed_max = engine.checkpoint().format() == CheckpointFormat::kGguf ? 1e-4 : 3e-4;
  } else if (replay.arithmetic == Arithmetic::kExact) {
    replay.allowed_max = 2e-4;
  } else {
    // Activations rounded to 8 bits. The README's mean of 0.1 and largest of about 1 are for logits that
    // deviate by 4; a router that takes another expert changes single logits at will and moves the mean.
    const double scale = std::max(1.0, expected_deviation / 4);
    const bool routed = engine.config().num_experts > 0;
    replay.allowed_mean = (routed ? 0.3 : 0.1) * scale;
    replay.allowed_max = routed ? kInfinite : 1.5 * scale;
    replay.ids_must_match = false;
  }
}

Status replay_steps(Scheduler& scheduler, const Vectors& vectors, GoldenReplay& replay,
                    Differences& differences) {
  const auto sequence = scheduler.open_sequence();
  if (!sequence.ok()) return sequence.error();
  const auto compare_id = [&](std::span<const float> logits, size_t step) {
    ++replay.ids;
    if (best_id(logits) != vectors.generated_ids[step]) ++replay.wrong_ids;
  };
  const auto prompt_tokens = static_cast<int64_t>(vectors.input_ids.size());
  const Feed prompt{*sequence, vectors.input_ids, true};
  Status fed = scheduler.forward(std::span(&prompt, 1), [&](size_t, int64_t token, std::span<float> logits) {
    const int64_t row = token - (prompt_tokens - vectors.prefill_rows);
    if (row >= 0) differences.add_row(logits, vectors.prefill_logits, row);
    if (token + 1 == prompt_tokens) compare_id(logits, 0);
    return true;
  });
  for (size_t step = 0; fed.ok() && step + 1 < vectors.generated_ids.size(); ++step) {
    const Feed next{*sequence, std::span(vectors.generated_ids).subspan(step, 1), false};
    fed = scheduler.forward(std::span(&next, 1), [&](size_t, int64_t, std::span<float> logits) {
      differences.add_row(logits, vectors.decode_logits, static_cast<int64_t>(step));
      compare_id(logits, step + 1);
      return true;
    });
  }
  return fed;
}

bool is_replayable_folder(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / "config.json", error) || !fs::exists(folder / "golden.safetensors", error))
    return false;
  const auto vectors = Checkpoint::open(folder / "golden.safetensors");
  if (!vectors.ok() || vectors->find("decode_logits") == nullptr) return false;
  const auto model = Checkpoint::open(folder);
  return !model.ok() || read_config(*model).ok() ||
         read_config(*model).error().kind != ErrorKind::kUnsupported;
}

GoldenModel gguf_golden(const fs::path& file) {
  const std::string stem = file.stem().string();
  return {stem, file, file.parent_path() / "golden.safetensors", stem + "."};
}

void find_golden_in(const fs::path& folder, int depth, std::vector<GoldenModel>& found) {
  if (is_replayable_folder(folder))
    found.push_back({folder.filename().string(), folder, folder / "golden.safetensors", ""});
  std::error_code error;
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder, error)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  for (const auto& entry : entries) {
    if (depth > 0 && fs::is_directory(entry, error)) find_golden_in(entry, depth - 1, found);
    if (entry.extension() == ".gguf" && fs::exists(folder / "golden.safetensors", error))
      found.push_back(gguf_golden(entry));
  }
}

}  // namespace

int32_t best_id(std::span<const float> logits) {
  return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

std::vector<GoldenModel> find_golden_models(const fs::path& path) {
  std::vector<GoldenModel> found;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    // A trailing slash would leave the folder without a name.
    find_golden_in(path.has_filename() ? path : path.parent_path(), 2, found);
  } else if (path.extension() == ".gguf" && fs::exists(path.parent_path() / "golden.safetensors", error)) {
    found.push_back(gguf_golden(path));
  }
  return found;
}

Result<GoldenReplay> replay_golden(const GoldenModel& golden, const std::string& kernels,
                                   Arithmetic arithmetic) {
  auto checkpoint = Checkpoint::open(golden.model);
  if (!checkpoint.ok()) return checkpoint.error();
  EngineOptions options;
  options.kernels = kernels;
  options.arithmetic = arithmetic;
  options.cache_type =
      KvType::kF32;  // as the reference keeps it; what the default type rounds is not in question here
  const auto engine = Engine::open(std::move(*checkpoint), options);
  if (!engine.ok()) return engine.error();
  const auto scheduler = Scheduler::create(*engine);
  if (!scheduler.ok()) return scheduler.error();
  const auto vectors = read_vectors(golden, (*engine)->config().vocab_size);
  if (!vectors.ok()) return vectors.error();

  GoldenReplay replay;
  replay.kernels = (*engine)->options().kernels;
  replay.arithmetic = arithmetic;
  Differences differences;
  const Status replayed = replay_steps(**scheduler, *vectors, replay, differences);
  if (!replayed.ok()) return replayed.error();
  replay.max_difference = differences.largest();
  replay.mean_difference = differences.mean();
  allow(replay, **engine, differences.expected_deviation());
  return replay;
}

Result<std::vector<GoldenReplay>> replay_golden_everywhere(const GoldenModel& golden) {
  const auto checkpoint = Checkpoint::open(golden.model);
  if (!checkpoint.ok()) return checkpoint.error();
  const auto config = read_config(*checkpoint);
  if (!config.ok()) return config.error();
  const bool quantized = has_quantized_weights(*checkpoint, *config);
  std::vector<GoldenReplay> replays;
  const KernelTables& tables = available_kernel_tables();
  for (int i = 0; i < tables.count; ++i) {
    for (const Arithmetic arithmetic : {Arithmetic::kFast, Arithmetic::kExact}) {
      // Float weights are computed in float either way.
      if (arithmetic == Arithmetic::kExact && !quantized) continue;
      auto replay = replay_golden(golden, tables.table[i]->name, arithmetic);
      if (!replay.ok()) return replay.error();
      replays.push_back(std::move(*replay));
    }
  }
  return replays;
}

}  // namespace ink
