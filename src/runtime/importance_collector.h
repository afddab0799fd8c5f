// Collects an importance matrix (tensor/importance.h): runs a model over a text and sums the squares of what
// goes into each of its matrices.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "runtime/engine.h"
#include "tensor/importance.h"

namespace ink {

struct CollectOptions {
  int64_t chunks = 0;                    // 0: as many as the text fills
  std::string dataset;                   // the text's name
  std::function<bool(double)> progress;  // 0 … 1; false stops
};

// Cuts the ids into chunks of the engine's context, each of which stands alone; what does not fill a chunk is
// left out, unless it is all there is. Errors: kInvalid for no ids at all or activations that are not finite
// (the matrix is named), kCancelled, kTooLarge.
Result<ImportanceMatrix> collect_importance(const std::shared_ptr<const Engine>& engine,
                                            std::span<const int32_t> ids, const CollectOptions& options);

}  // namespace ink
