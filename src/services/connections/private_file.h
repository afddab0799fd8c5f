// Files that hold a secret: readable for their owner only. One that others can read is refused and not
// quietly mended, since the secret in it may be known already.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace ink {

struct FileText {
  std::string text;
  bool is_private = true;  // nobody else may read or write it
};

// A regular file of at most 1 MiB. Errors: kNotFound, kIo, kInvalid (a folder, a device), kTooLarge.
Result<FileText> read_small_file(const std::filesystem::path& path);

// kInvalid, with what to do, for a file that others can read.
Error not_private(const std::filesystem::path& path);

// The first line of a private file, without blanks around it. Errors: as above, kInvalid when it is empty.
// The text is in no error.
Result<std::string> read_secret(const std::filesystem::path& path);

// Old content or all of the new, mode 0600, on the disk when it returns; makes the folder (0700) when it is
// not there. Errors: kIo.
Status write_private_file(const std::filesystem::path& path, const std::string& text);

}  // namespace ink
