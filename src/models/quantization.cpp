// See models/quantization.h.
#include "models/quantization.h"

#include <algorithm>
#include <span>

#include "models/json_numbers.h"
#include "tensor/checkpoint_checks.h"

namespace ink {
namespace {

using Method = Quantization::Method;

constexpr int64_t kMostColumns = int64_t{1} << 22;  // as the sizes of a model (config.cpp)
constexpr size_t kMostGroupings = 64;
constexpr int kGptqBits[] = {2, 4, 8};
constexpr int kAwqBits[] = {4};
constexpr int kMlxBits[] = {2, 3, 4, 5, 6, 8};

// One reading of a quantization config; the first problem ends it.
class Reader {
 public:
  Reader(const Json& object, std::string where) : object_(object), json_(object), where_(std::move(where)) {}

  Result<Quantization> read();

 private:
  Status read_gptq();
  Status read_awq();
  Status read_auto_round();
  Status read_compressed_tensors();
  Status read_fp8();
  Status read_mlx();
  // Adds what `object` says of bits and group_size; what it leaves out is as in `base`.
  Status add_grouping(const Json& object, const Grouping& base, std::span<const int> bits);
  // The same for each object in the object `overrides` that names bits or a group size.
  Status add_overrides(const Json* overrides, std::span<const int> bits);
  Status add_scheme(const Json& weights);
  Status read_block(const JsonNumbers& json, const char* name, Grouping& grouping) const;
  Status add(const Grouping& grouping);
  // kUnsupported unless the text under one of the names is among `wanted` (the first stands for none).
  Status expect(std::initializer_list<const char*> names, std::initializer_list<const char*> wanted) const;

  Error unsupported(const std::string& what, const std::string& wanted, const std::string& got) const {
    return Error{ErrorKind::kUnsupported, where_ + ": " + printable(what), wanted, printable(got),
                 "use a GGUF file of this model"};
  }
  Error invalid(const std::string& what, const std::string& wanted, const std::string& got) const {
    return Error{ErrorKind::kInvalid, where_ + ": " + what, wanted, printable(got), ""};
  }

  const Json& object_;
  JsonNumbers json_;
  std::string where_;
  Quantization result_;
};

std::string list_of(std::span<const int> values) {
  std::string text;
  for (size_t i = 0; i < values.size(); ++i)
    text += (i == 0 ? "" : i + 1 == values.size() ? " or " : ", ") + std::to_string(values[i]);
  return text;
}

Status Reader::expect(std::initializer_list<const char*> names,
                      std::initializer_list<const char*> wanted) const {
  const std::string text = json_.text(names, *wanted.begin());
  std::string list;
  for (const char* name : wanted) {
    if (text == name) return Done{};
    list += (list.empty() ? "" : " or ") + std::string(name);
  }
  return unsupported(*names.begin(), list, text);
}

Status Reader::add(const Grouping& grouping) {
  auto& all = result_.groupings;
  if (std::find(all.begin(), all.end(), grouping) != all.end()) return Done{};
  if (all.size() >= kMostGroupings)
    return invalid("groupings", "at most " + std::to_string(kMostGroupings) + " different ones", "more");
  all.push_back(grouping);
  return Done{};
}

Status Reader::add_grouping(const Json& object, const Grouping& base, std::span<const int> bits) {
  JsonNumbers json(object);
  const int64_t stated_bits = json.integer({"bits"}, base.bits);
  const int64_t group_size = json.integer({"group_size"}, base.block_cols == 0 ? -1 : base.block_cols);
  if (!json.problem().empty()) return Error{ErrorKind::kInvalid, where_, "", json.problem(), ""};
  if (std::find(bits.begin(), bits.end(), stated_bits) == bits.end())
    return unsupported("bits", list_of(bits), std::to_string(stated_bits));
  if (group_size != -1 && (group_size < 1 || group_size > kMostColumns)) {
    return invalid("group_size", "-1 (a whole row) or 1 to " + std::to_string(kMostColumns),
                   std::to_string(group_size));
  }
  return add({static_cast<int>(stated_bits), false, 1, std::max<int64_t>(0, group_size)});
}

Status Reader::add_overrides(const Json* overrides, std::span<const int> bits) {
  if (overrides == nullptr || !overrides->is_object()) return Done{};
  const Grouping base = result_.groupings.front();
  for (const auto& [name, object] : overrides->items()) {
    if (!object.is_object() || !(object.contains("bits") || object.contains("group_size"))) continue;
    const auto own_bits = object.find("bits");
    if (own_bits != object.end() && own_bits->is_number_integer() && *own_bits >= 16)
      continue;  // left as floats
    if (const Status added = add_grouping(object, base, bits); !added.ok()) return added;
  }
  return Done{};
}

Status Reader::read_gptq() {
  result_.method = Method::kGptq;
  result_.text = "GPTQ";
  if (const Status format = expect({"checkpoint_format", "format"}, {"gptq", "gptq_v2"}); !format.ok())
    return format;
  if (json_.boolean("is_marlin_format", false)) return unsupported("is_marlin_format", "false", "true");
  if (const Status words = expect({"pack_dtype"}, {"int32"}); !words.ok()) return words;
  result_.zeros_less_one = json_.text({"checkpoint_format", "format"}, "gptq") == "gptq";
  if (const Status base = add_grouping(object_, {}, kGptqBits); !base.ok()) return base;
  return add_overrides(json_.find({"dynamic"}), kGptqBits);
}

Status Reader::read_awq() {
  result_.method = Method::kAwq;
  result_.text = "AWQ";
  std::string version = json_.text({"version", "checkpoint_format", "format"}, "gemm");
  std::transform(version.begin(), version.end(), version.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (version != "gemm") return unsupported("version", "gemm", version);
  if (!json_.boolean("zero_point", true)) return unsupported("zero_point", "true", "false");
  if (const Status base = add_grouping(object_, {}, kAwqBits); !base.ok()) return base;
  return add_overrides(json_.find({"dynamic"}), kAwqBits);
}

Status Reader::read_auto_round() {
  const std::string packing = json_.text({"packing_format"}, "auto_round:auto_gptq");
  const auto has = [&](std::string_view word) { return packing.find(word) != std::string::npos; };
  if (const Status type = expect({"data_type"}, {"int"}); !type.ok()) return type;
  if (json_.integer({"act_bits"}, 16) < 16) return unsupported("act_bits", "16", "fewer");
  if (has("awq")) {
    result_.method = Method::kAwq;
  } else if (has("gptq") || packing.starts_with("auto_round")) {
    result_.method = Method::kGptq;
    result_.zeros_less_one = has("gptq") && !has("gptqmodel");
  } else {
    return unsupported("packing_format",
                       "auto_round, auto_round:auto_gptq, auto_round:gptqmodel or auto_round:auto_awq",
                       packing);
  }
  result_.text = result_.method == Method::kAwq ? "AutoRound (AWQ)" : "AutoRound (GPTQ)";
  const auto bits =
      result_.method == Method::kAwq ? std::span<const int>(kAwqBits) : std::span<const int>(kGptqBits);
  if (const Status base = add_grouping(object_, {}, bits); !base.ok()) return base;
  return add_overrides(json_.find({"extra_config"}), bits);
}

Status Reader::read_block(const JsonNumbers& json, const char* name, Grouping& grouping) const {
  const Json* block = json.find({name});
  const auto is_size = [](const Json& size) {
    return size.is_number_integer() && size >= 1 && size <= kMostColumns;
  };
  if (block == nullptr || !block->is_array() || block->size() != 2 || !is_size((*block)[0]) ||
      !is_size((*block)[1]))
    return invalid(name, "two sizes", block == nullptr ? "none" : block->dump().substr(0, 40));
  grouping.block_rows = (*block)[0].get<int64_t>();
  grouping.block_cols = (*block)[1].get<int64_t>();
  return Done{};
}

Status Reader::read_fp8() {
  result_.method = Method::kFp8;
  result_.text = "FP8";
  if (const Status format = expect({"fmt"}, {"e4m3", "float8_e4m3fn"}); !format.ok()) return format;
  Grouping grouping{8, true, 0, 0};
  if (json_.find({"weight_block_size"}) != nullptr) {
    if (const Status block = read_block(json_, "weight_block_size", grouping); !block.ok()) return block;
  }
  return add(grouping);
}

Status Reader::add_scheme(const Json& weights) {
  JsonNumbers json(weights);
  Grouping grouping;
  grouping.bits = static_cast<int>(std::clamp<int64_t>(json.integer({"num_bits"}, 8), 0, 64));
  const std::string type = json.text({"type"}, "int");
  grouping.is_float = type == "float";
  const bool readable =
      type == "int" ? grouping.bits == 4 || grouping.bits == 8 : grouping.is_float && grouping.bits == 8;
  if (!readable) {
    return unsupported("weights", "int of 4 or 8 bits, or float of 8 bits",
                       type + " of " + std::to_string(grouping.bits) + " bits");
  }
  const int64_t group_size = json.integer({"group_size"}, -1);
  const std::string strategy = json.text({"strategy"}, group_size > 0 ? "group" : "channel");
  if (!json.problem().empty()) return Error{ErrorKind::kInvalid, where_, "", json.problem(), ""};
  if (strategy == "tensor") {
    grouping.block_rows = 0;
  } else if (strategy == "group") {
    if (group_size < 1 || group_size > kMostColumns)
      return invalid("group_size", "1 to " + std::to_string(kMostColumns), std::to_string(group_size));
    grouping.block_cols = group_size;
  } else if (strategy == "block") {
    if (const Status block = read_block(json, "block_structure", grouping); !block.ok()) return block;
  } else if (strategy != "channel") {
    return unsupported("strategy", "tensor, channel, group or block", strategy);
  }
  return add(grouping);
}

Status Reader::read_compressed_tensors() {
  result_.method = Method::kCompressedTensors;
  result_.text = "compressed-tensors";
  if (const Status status = expect({"quantization_status"}, {"compressed"}); !status.ok()) return status;
  if (const Status format = expect({"format"}, {"pack-quantized", "int-quantized", "float-quantized",
                                                "naive-quantized", "mixed-precision"});
      !format.ok())
    return format;
  if (const Json* sparsity = json_.find({"sparsity_config"}); sparsity != nullptr && sparsity->is_object()) {
    const std::string sparse = JsonNumbers(*sparsity).text({"format"}, "dense");
    if (sparse != "dense") return unsupported("sparsity_config", "dense", sparse);
  }
  if (const Json* transform = json_.find({"transform_config"}); transform != nullptr && !transform->empty())
    return unsupported("transform_config", "none", "one");
  const Json* groups = json_.find({"config_groups"});
  if (groups == nullptr || !groups->is_object() || groups->empty())
    return invalid("config_groups", "an object with groups", "none");
  for (const auto& [name, group] : groups->items()) {
    const Json* weights = group.is_object() ? JsonNumbers(group).find({"weights"}) : nullptr;
    if (weights == nullptr || !weights->is_object())
      return unsupported("config_groups", "groups with weights", name);
    if (const Status added = add_scheme(*weights); !added.ok()) return added;
  }
  return Done{};
}

Status Reader::read_mlx() {
  result_.method = Method::kMlx;
  result_.text = "MLX";
  if (const Status mode = expect({"mode"}, {"affine"}); !mode.ok()) return mode;
  if (const Status base = add_grouping(object_, {}, kMlxBits); !base.ok()) return base;
  for (const auto& [name, layer] : object_.items()) {
    if (!layer.is_object()) continue;
    if (const std::string mode = JsonNumbers(layer).text({"mode"}, "affine"); mode != "affine")
      return unsupported(name + ": mode", "affine", mode);
  }
  return add_overrides(&object_, kMlxBits);
}

Result<Quantization> Reader::read() {
  const std::string method =
      json_.text({"quant_method"}, json_.find({"bits"}) != nullptr ? "mlx" : "none named");
  Status done = Done{};
  if (method == "gptq") {
    done = read_gptq();
  } else if (method == "awq") {
    done = read_awq();
  } else if (method == "auto-round" || method == "auto_round" || method == "intel/auto-round") {
    done = read_auto_round();
  } else if (method == "compressed-tensors") {
    done = read_compressed_tensors();
  } else if (method == "fp8") {
    done = read_fp8();
  } else if (method == "mlx") {
    done = read_mlx();
  } else {
    done = unsupported("quant_method", "gptq, awq, auto-round, compressed-tensors, fp8 or MLX's", method);
  }
  if (!done.ok()) return done.error();
  if (!json_.problem().empty()) return Error{ErrorKind::kInvalid, where_, "", json_.problem(), ""};
  constexpr size_t kMostNamed = 4;
  const size_t count = result_.groupings.size();
  for (size_t i = 0; i < std::min(count, kMostNamed); ++i) result_.text += ", " + result_.groupings[i].text();
  if (count > kMostNamed) result_.text += " and others";
  if (json_.boolean("desc_act", false)) result_.text += ", act order";
  return std::move(result_);
}

}  // namespace

std::string Grouping::text() const {
  const std::string numbers = is_float ? "e4m3" : std::to_string(bits) + " bits";
  if (block_rows == 0) return numbers + " with one scale";
  if (block_rows > 1)
    return numbers + " in blocks of " + std::to_string(block_rows) + "x" + std::to_string(block_cols);
  return numbers +
         (block_cols == 0 ? " with a scale per row" : " in groups of " + std::to_string(block_cols));
}

Result<Quantization> read_quantization(const Json& config, const std::string& where) {
  const JsonNumbers json(config);
  // MLX writes its settings under both names.
  for (const char* name : {"quantization_config", "quantization"}) {
    const Json* object = json.find({name});
    if (object == nullptr) continue;
    const std::string place = where + ": " + name;
    if (!object->is_object()) return Error{ErrorKind::kInvalid, place, "an object", "something else", ""};
    return Reader(*object, place).read();
  }
  return Quantization{};
}

}  // namespace ink
