// Result<T>: a value, or an Error that says where, what was wanted, what was found, and what to do.
// For the world's mistakes (files, requests, prompts). Our own mistakes are INK_CHECK (base/check.h).
// The library never throws: take the value only after asking ok().
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace ink {

// What a failure is about; the program's exit codes and the server's status codes are made from it.
enum class ErrorKind {
  kInvalid,      // malformed or contradictory input: a damaged file, a bad flag, invalid UTF-8
  kNotFound,     // a file, tensor or model that is not there
  kUnsupported,  // well-formed, but something we do not run
  kTooLarge,     // does not fit: memory, context, a cap on counts
  kIo,           // the operating system refused: permissions, full disk
  kCancelled,    // the caller asked to stop
};

struct Error {
  ErrorKind kind = ErrorKind::kInvalid;
  std::string where;   // "qwen3.gguf: blk.3.attn_q.weight"
  std::string wanted;  // "shape [4096, 2560]"; empty when the message alone says it
  std::string got;     // "shape [4096, 2048]", or the whole message
  std::string advice;  // what to do about it; may be empty

  // One line: "where: expected WANTED, got GOT (advice)".
  std::string message() const {
    std::string text = where;
    if (!text.empty()) text += ": ";
    text += wanted.empty() ? got : "expected " + wanted + ", got " + got;
    if (!advice.empty()) text += " (" + advice + ")";
    return text;
  }
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    INK_CHECK(ok(), "value() of a failed Result");
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    INK_CHECK(ok(), "value() of a failed Result");
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    INK_CHECK(ok(), "value() of a failed Result");
    return std::move(*std::get_if<0>(&state_));
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

  const Error& error() const {
    INK_CHECK(!ok(), "error() of a successful Result");
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

// A step that yields nothing but may fail.
struct Done {};
using Status = Result<Done>;

}  // namespace ink
