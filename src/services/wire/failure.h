// What a client is told when something goes wrong, before a dialect puts it into its own shape. The same kind
// of Error means another status at another stage: a schema that is too large is the client's mistake, a model
// that is too large for the memory just now is not.
#pragma once

#include <string>

#include "base/result.h"

namespace ink::wire {

enum class Stage {
  kRequest,  // while the request was read and prepared
  kModel,    // while its model was found and loaded
  kAnswer,   // while it was answered
};

struct Failure {
  enum class Kind {
    kInvalid,        // 400
    kContextLength,  // 400: the prompt is longer than the context
    kNotFound,       // 404
    kBusy,           // 503: no memory or no place just now; try again
    kInternal,       // 500
  } kind = Kind::kInvalid;
  int status = 400;
  std::string message;
  std::string param;  // the field that is meant; may be empty
};

Failure failure_of(const Error& error, Stage stage);

}  // namespace ink::wire
