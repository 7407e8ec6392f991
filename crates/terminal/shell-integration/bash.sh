# Read by bash in place of ~/.bashrc, or of the files of a login shell: reads those, and then has bash mark its prompts
# and commands for Switchyard. The user's files are not changed; a bash that is started from this one is an ordinary bash.

if shopt -oq posix; then
    # A login shell, which reads $ENV and nothing else as long as it is a POSIX shell. It is no more.
    set +o posix
    shopt -u inherit_errexit 2>/dev/null
    if [[ -n ${SWITCHYARD_ENV+set} ]]; then
        export ENV=$SWITCHYARD_ENV
        unset SWITCHYARD_ENV
    else
        unset ENV
    fi
    if [[ ${HISTFILE-} == */.sh_history ]]; then
        HISTFILE=~/.bash_history
    fi
    if [ -r /etc/profile ]; then
        . /etc/profile
    fi
    if [ -r ~/.bash_profile ]; then
        . ~/.bash_profile
    elif [ -r ~/.bash_login ]; then
        . ~/.bash_login
    elif [ -r ~/.profile ]; then
        . ~/.profile
    fi
elif [ -r ~/.bashrc ]; then
    . ~/.bashrc
fi

if [[ $- == *i* && -z ${__switchyard_on-} ]]; then
    __switchyard_on=1
    # __switchyard_last is the last command in the history at the last prompt, with its number.

    # $PWD as the path of a URL.
    __switchyard_url() {
        local LC_ALL=C at char
        for ((at = 0; at < ${#PWD}; at++)); do
            char=${PWD:at:1}
            if [[ $char == [A-Za-z0-9/._~-] ]]; then
                builtin printf '%s' "$char"
            else
                builtin printf '%%%02X' "'$char"
            fi
        done
    }

    # Sets the variable $1 to $2; not one that the user has made read-only.
    __switchyard_set() {
        builtin printf -v "$1" '%s' "$2" 2>/dev/null
    }

    __switchyard_history() {
        HISTTIMEFORMAT= builtin history 1 2>/dev/null
    }

    # Says that the command $1, an entry of the history, was typed; $2 follows.
    __switchyard_typed() {
        local command=$1
        # Without the number in front.
        command=${command#"${command%%[![:space:]]*}"}
        command=${command#*[[:space:]]}
        command=${command#"${command%%[![:space:]]*}"}
        command=${command//\\/\\\\}
        command=${command//;/\\x3b}
        command=${command//$'\n'/\\x0a}
        command=${command//[[:cntrl:]]/ }
        builtin printf '\e]633;E;%s%s\a' "$command" "$2" >&2
    }

    # Before every prompt: how the command ended, where we are, a prompt begins. Ends as the command did, for whoever is next.
    __switchyard_precmd() {
        local status=$? last url=$PWD
        last=$(__switchyard_history)
        if [[ ${PS0-} != *__switchyard_preexec* && -n ${__switchyard_last+set} && $last != "$__switchyard_last" ]]; then
            # It was not said before it ran.
            __switchyard_typed "$last" ''
        fi
        __switchyard_last=$last
        if [[ ! $url =~ ^[A-Za-z0-9/._~-]*$ ]]; then
            url=$(__switchyard_url)
        fi
        builtin printf '\e]133;D;%s\a\e]7;file://%s%s\a\e]133;A\a' "$status" "${HOSTNAME-}" "$url" >&2
        return "$status"
    }

    # After everything else that makes the prompt: where it ends, and what says that a command begins.
    __switchyard_ps1() {
        local status=$? begins='$(__switchyard_preexec)' plain='\e]133;C\a'
        if [[ ${PS1-} != *'133;B'* ]]; then
            __switchyard_set PS1 "${PS1-}"'\[\e]133;B\a\]'
        fi
        if ! shopt -q promptvars; then
            # Nothing in a prompt is run then.
            local swap=$begins
            begins=$plain
            plain=$swap
        fi
        if [[ ${PS0-} != "$begins"* ]]; then
            PS0=${PS0-}
            __switchyard_set PS0 "$begins${PS0#"$plain"}"
        fi
        return "$status"
    }

    # Before a command runs. The history is as it was when it was not to take the command (it begins with a blank), or when
    # it has it already: whoever sees the screen knows which. How it was is not known when no prompt told.
    __switchyard_preexec() {
        local command again=
        command=$(__switchyard_history)
        if [[ ${PROMPT_COMMAND[*]-} != *__switchyard_precmd* || $command == "$__switchyard_last" ]]; then
            again=';again'
        fi
        __switchyard_typed "$command" "$again"
        builtin printf '\e]133;C\a' >&2
    }

    # Puts in place what marks the prompts, which whatever sets PROMPT_COMMAND anew takes away.
    __switchyard_install() {
        # Behind `&&`, so that nobody's ERR trap takes our end for a mistake: it is the command's.
        local first='__switchyard_precmd && :' last='__switchyard_ps1 && :' at
        if [[ ${PROMPT_COMMAND[*]-} == *__switchyard_precmd* ]]; then
            return 0
        elif [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
            local commands=("$first" "${PROMPT_COMMAND[@]}" "$last")
            for ((at = 0; at < ${#commands[@]}; at++)); do
                __switchyard_set "PROMPT_COMMAND[at]" "${commands[at]}" || break
            done
        else
            __switchyard_set PROMPT_COMMAND "$first"$'\n'"${PROMPT_COMMAND-}"$'\n'"$last" || :
        fi
        if [[ ${PROMPT_COMMAND[*]-} != *__switchyard_precmd* && ${PS1-} != *__switchyard_precmd* ]] && shopt -q promptvars; then
            # It is read-only: then the prompt itself says so.
            __switchyard_set PS1 '$(__switchyard_precmd)'"${PS1-}" && __switchyard_ps1 || :
        fi
        return 0
    }

    __switchyard_install
    # And for the first command.
    __switchyard_ps1 || :
    # When a file has been read, ~/.bashrc again perhaps.
    if [[ -z $(trap -p RETURN) ]]; then
        trap __switchyard_install RETURN
    fi
fi
