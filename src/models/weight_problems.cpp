// See models/weight_problems.h.
#include "models/weight_problems.h"

#include <algorithm>

namespace ink {

void WeightProblems::add(const std::string& problem) {
  if (std::find(list.begin(), list.end(), problem) == list.end()) list.push_back(problem);
}

const FileTensor* WeightProblems::find(const Checkpoint& checkpoint, const std::string& name) {
  const FileTensor* tensor = checkpoint.find(name);
  if (tensor == nullptr) {
    add(name + ": missing");
    missing = true;
  }
  return tensor;
}

Status WeightProblems::report(const std::string& checkpoint_name) const {
  constexpr size_t kMostListed = 30;
  if (list.empty()) return Done{};
  std::string text = std::to_string(list.size()) + " tensors are wrong: ";
  for (size_t i = 0; i < std::min(list.size(), kMostListed); ++i) text += (i == 0 ? "" : "; ") + list[i];
  if (list.size() > kMostListed) text += "; and " + std::to_string(list.size() - kMostListed) + " more";
  return Error{missing ? ErrorKind::kNotFound : ErrorKind::kInvalid, checkpoint_name, "", text, ""};
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace ink
