// See services/wire/failure.h.
#include "services/wire/failure.h"

namespace ink::wire {
namespace {

using Kind = Failure::Kind;

Kind kind_of_request(const Error& error) {
  if (error.kind == ErrorKind::kNotFound) return Kind::kNotFound;
  return error.kind == ErrorKind::kIo ? Kind::kInternal : Kind::kInvalid;
}

Kind kind_of(const Error& error, Stage stage) {
  if (error.kind == ErrorKind::kCancelled) return Kind::kBusy;  // the server is going down
  if (error.kind == ErrorKind::kTooLarge && error.where == "context") return Kind::kContextLength;
  if (stage == Stage::kRequest) return kind_of_request(error);
  switch (error.kind) {
    case ErrorKind::kTooLarge:
      return Kind::kBusy;
    case ErrorKind::kNotFound:
      return stage == Stage::kModel ? Kind::kNotFound : Kind::kInternal;
    case ErrorKind::kUnsupported:
      return Kind::kInvalid;
    case ErrorKind::kInvalid:
      return stage == Stage::kAnswer ? Kind::kInvalid : Kind::kInternal;
    default:
      return Kind::kInternal;  // a damaged model file, a disk that fails
  }
}

int status_of(Kind kind) {
  switch (kind) {
    case Kind::kInvalid:
    case Kind::kContextLength:
      return 400;
    case Kind::kNotFound:
      return 404;
    case Kind::kBusy:
      return 503;
    case Kind::kInternal:
      break;
  }
  return 500;
}

}  // namespace

Failure failure_of(const Error& error, Stage stage) {
  Failure failure;
  failure.kind = kind_of(error, stage);
  failure.status = status_of(failure.kind);
  failure.message = error.message();
  if (stage == Stage::kRequest || failure.kind == Kind::kInvalid) failure.param = error.where;
  if (failure.kind == Kind::kNotFound && stage == Stage::kModel) failure.param = "model";
  if (failure.kind == Kind::kContextLength) failure.param = "messages";
  return failure;
}

}  // namespace ink::wire
