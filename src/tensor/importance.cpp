// See tensor/importance.h.
#include "tensor/importance.h"

#include <cmath>
#include <cstring>
#include <optional>

#include "tensor/checkpoint.h"
#include "tensor/checkpoint_checks.h"
#include "tensor/gguf_writer.h"

namespace ink {
namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";

std::vector<float> floats_of(const FileTensor& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

bool all_counted(const std::vector<float>& values) {
  for (const float value : values) {
    if (!(value >= 0.0f && std::isfinite(value))) return false;
  }
  return true;
}

Result<ImportanceMatrix::Entry> read_entry(const Checkpoint& file, const FileTensor& sums,
                                           const std::string& name) {
  const auto refuse = [&](ErrorKind kind, std::string wanted, std::string got) {
    return Error{kind, tensor_place(file.name(), sums.name), std::move(wanted), std::move(got), ""};
  };
  const FileTensor* counts = file.find(name + std::string(kCounts));
  if (counts == nullptr) return refuse(ErrorKind::kNotFound, name + std::string(kCounts), "none");
  if (sums.dtype != Dtype::kF32 || counts->dtype != Dtype::kF32)
    return refuse(ErrorKind::kInvalid, "F32", "another type");
  ImportanceMatrix::Entry entry;
  entry.columns = sums.shape.back();
  entry.experts = sums.elements() / entry.columns;
  if (counts->elements() != entry.experts)
    return refuse(ErrorKind::kInvalid, std::to_string(entry.experts) + " counts",
                  std::to_string(counts->elements()));
  entry.sums = floats_of(sums);
  entry.counts = floats_of(*counts);
  if (!all_counted(entry.sums) || !all_counted(entry.counts))
    return refuse(ErrorKind::kInvalid, "finite numbers from 0 on", "another one");
  return entry;
}

}  // namespace

std::vector<float> ImportanceMatrix::column_importance(std::string_view name, int64_t expert) const {
  const auto found = entries.find(name);
  if (found == entries.end() || expert >= found->second.experts) return {};
  const Entry& entry = found->second;
  const float count = entry.counts[static_cast<size_t>(expert)];
  if (!(count > 0.0f)) return {};
  const auto first = entry.sums.begin() + expert * entry.columns;
  std::vector<float> means(first, first + entry.columns);
  for (float& mean : means) mean /= count;
  return means;
}

Result<ImportanceMatrix> read_importance(const std::filesystem::path& path) {
  const auto file = Checkpoint::open(path);
  if (!file.ok()) return file.error();
  ImportanceMatrix matrix;
  for (const FileTensor& tensor : file->tensors()) {
    if (!tensor.name.ends_with(kSums)) continue;
    const std::string name = tensor.name.substr(0, tensor.name.size() - kSums.size());
    auto entry = read_entry(*file, tensor, name);
    if (!entry.ok()) return entry.error();
    matrix.entries.emplace(name, std::move(*entry));
  }
  if (matrix.entries.empty())
    return Error{ErrorKind::kInvalid, file->name(), "an importance matrix (tensors NAME.in_sum2)", "none",
                 "inkstone imatrix makes one"};
  const auto number = [&](const char* key) {
    const int64_t value = file->meta_int(key).value_or(0);
    return static_cast<uint32_t>(value >= 0 && value <= UINT32_MAX ? value : 0);
  };
  matrix.chunks = number("imatrix.chunk_count");
  matrix.chunk_tokens = number("imatrix.chunk_size");
  const MetaArray* datasets = file->meta_array("imatrix.datasets");
  if (const auto* names = datasets ? std::get_if<std::vector<std::string_view>>(datasets) : nullptr)
    matrix.datasets.assign(names->begin(), names->end());
  return matrix;
}

Status write_importance(const std::filesystem::path& path, const ImportanceMatrix& matrix) {
  GgufWriter writer;
  writer.add_string("general.type", "imatrix");
  writer.add_strings("imatrix.datasets", matrix.datasets);
  writer.add_number("imatrix.chunk_count", matrix.chunks);
  writer.add_number("imatrix.chunk_size", matrix.chunk_tokens);
  std::vector<const std::vector<float>*> data;
  for (const auto& [name, entry] : matrix.entries) {
    const bool stacked = entry.experts > 1;
    using Shape = std::vector<int64_t>;
    writer.add_tensor({name + std::string(kSums), Dtype::kF32,
                       stacked ? Shape{entry.experts, entry.columns} : Shape{entry.columns}});
    writer.add_tensor(
        {name + std::string(kCounts), Dtype::kF32, stacked ? Shape{entry.experts, 1} : Shape{1}});
    data.push_back(&entry.sums);
    data.push_back(&entry.counts);
  }
  return writer.write(path, [&](size_t index, const TensorSink& sink) {
    return sink(std::as_bytes(std::span(*data[index])));
  });
}

}  // namespace ink
