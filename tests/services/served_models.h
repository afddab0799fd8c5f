// Models for the tests of what is served: the embedded one, with a tokenizer, and a tiny golden one with
// random weights and none.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "services/library/library.h"
#include "tests/golden_folder.h"

namespace ink::testing {

inline LibraryOptions small_library() {
  LibraryOptions options;
  options.engine.threads = 1;
  options.engine.context_tokens = 512;
  options.engine.batch_tokens = 64;
  options.engine.max_sequences = 4;
  return options;
}

inline std::shared_ptr<ServedModel> pocket_model() {
  static ModelLibrary library(small_library());
  auto model = library.acquire("");
  EXPECT_TRUE(model.ok()) << model.error().message();
  return model.ok() ? *model : nullptr;
}

inline std::shared_ptr<ServedModel> model_without_tokenizer() {
  const auto files = require_golden_paths("models/dense_tied_f32");
  if (files.empty()) return nullptr;
  LibraryOptions options = small_library();
  options.default_model = files.front().string();
  options.engine.context_tokens = 64;
  static ModelLibrary library(options);
  auto model = library.acquire("");
  EXPECT_TRUE(model.ok()) << model.error().message();
  return model.ok() ? *model : nullptr;
}

}  // namespace ink::testing
