# Run by fish after its configuration: has fish mark its prompts and commands for Switchyard. From version 4 on fish
# does so by itself.
if status is-interactive; and not set -q __switchyard_on; and string match -qr '^[0-3]\.' -- $version
    set -g __switchyard_on 1
    function __switchyard_prompt --on-event fish_prompt
        printf '\e]7;file://%s%s\a\e]133;A\a' $hostname (string escape --style=url -- $PWD)
    end
    # A command that begins with a blank is not in the history, and stays unnamed.
    function __switchyard_preexec --on-event fish_preexec
        set -l command (string replace -ra '^ .*' '' -- "$argv[1]" | string replace -a '\\' '\\\\' | string replace -a ';' '\\x3b' | string join '\\x0a')
        printf '\e]633;E;%s\a\e]133;C\a' (string replace -ra '[[:cntrl:]]' ' ' -- "$command")
    end
    function __switchyard_postexec --on-event fish_postexec
        printf '\e]133;D;%s\a' $status
    end
end
