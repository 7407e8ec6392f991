# Read by bash in place of ~/.bashrc: reads that, and then has bash mark its prompts and commands for Switchyard.
# The user's files are not changed; a bash that is started from this one is an ordinary bash.

if [ -r ~/.bashrc ]; then
    . ~/.bashrc
fi

if [[ $- == *i* && -z ${__switchyard_on-} ]]; then
    __switchyard_on=1
    __switchyard_last=

    # $PWD as the path of a URL.
    __switchyard_url() {
        if [[ $PWD =~ ^[A-Za-z0-9/._~-]*$ ]]; then
            printf '%s' "$PWD"
            return
        fi
        local LC_ALL=C at char
        for ((at = 0; at < ${#PWD}; at++)); do
            char=${PWD:at:1}
            if [[ $char == [A-Za-z0-9/._~-] ]]; then
                printf '%s' "$char"
            else
                printf '%%%02X' "'$char"
            fi
        done
    }

    # Before every prompt: how the command ended, where we are, a prompt begins.
    __switchyard_precmd() {
        local status=$?
        printf '\e]133;D;%s\a\e]7;file://%s%s\a\e]133;A\a' "$status" "${HOSTNAME-}" "$(__switchyard_url)"
        __switchyard_last=$(HISTTIMEFORMAT= history 1)
        return "$status"
    }

    # After everything else that makes the prompt: where it ends.
    __switchyard_ps1() {
        local status=$?
        if [[ $PS1 != *'133;B'* ]]; then
            PS1=$PS1'\[\e]133;B\a\]'
        fi
        return "$status"
    }

    # Before a command runs. A command that history does not take (it begins with a blank) stays unnamed.
    __switchyard_preexec() {
        local command
        command=$(HISTTIMEFORMAT= history 1)
        if [[ $command == "$__switchyard_last" ]]; then
            command=
        fi
        # Without the number in front.
        command=${command#"${command%%[![:space:]]*}"}
        command=${command#*[[:space:]]}
        command=${command#"${command%%[![:space:]]*}"}
        command=${command//\\/\\\\}
        command=${command//;/\\x3b}
        command=${command//$'\n'/\\x0a}
        command=${command//[[:cntrl:]]/ }
        printf '\e]633;E;%s\a\e]133;C\a' "$command"
    }

    PS0='$(__switchyard_preexec)'${PS0-}
    if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
        PROMPT_COMMAND=(__switchyard_precmd "${PROMPT_COMMAND[@]}" __switchyard_ps1)
    else
        PROMPT_COMMAND=__switchyard_precmd$'\n'${PROMPT_COMMAND-}$'\n'__switchyard_ps1
    fi
fi
