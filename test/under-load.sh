#!/usr/bin/env bash
# Runs `npm test`, the quick tier, several times in a row (3, or the first argument) while other processes keep both cores busy. A suite
# that fails then waits for a time somewhere instead of a condition. Prints each run's last line and its seconds.
set -u
cd "$(dirname "$0")/.." || exit 1
runs=${1:-3}
burners=()

burn() {
  # Looks now and then whether this script is still there, and ends with it.
  node -e 'const parent = process.ppid;
    while (process.ppid === parent) for (let n = 0; n < 1e8; n++);' &
  burners+=("$!")
}
end() { kill "${burners[@]}" 2>/dev/null; }
trap end EXIT
trap 'exit 130' INT TERM

burn
burn
failed=0
for ((run = 1; run <= runs; run++)); do
  log=$(mktemp)
  from=$SECONDS
  npm test >"$log" 2>&1
  code=$?
  printf 'run %d: %s, %d s\n' "$run" "$(tail -n 1 "$log")" "$((SECONDS - from))"
  if ((code == 0)); then
    rm -f "$log"
  else
    failed=1
    printf '  its output: %s\n' "$log"
  fi
done
exit "$failed"
