// What is wrong with the tensors of a checkpoint, collected so that all of it can be said at once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/checkpoint.h"

namespace ink {

struct WeightProblems {
  std::vector<std::string> list;
  bool missing = false;  // a tensor is

  void add(
      const std::string& problem);  // once, however often: a tied head asks for the embedding a second time
  // Null when there is none, after noting it as missing.
  const FileTensor* find(const Checkpoint& checkpoint, const std::string& name);
  // Every problem in one Error: kNotFound when a tensor is missing, else kInvalid.
  Status report(const std::string& checkpoint_name) const;
};

std::string shape_text(const std::vector<int64_t>& shape);  // "[4096, 2560]"

}  // namespace ink
