// The `leat` binary: one subcommand a file.
int main() {
  return 0;
}
