# Read by zsh first, because ZDOTDIR points here: points it back, reads the user's own file, and has zsh mark its
# prompts and commands for Switchyard. The user's files are not changed; a zsh started from this one is an
# ordinary zsh.

if [[ -n ${SWITCHYARD_ZDOTDIR+set} ]]; then
    export ZDOTDIR=$SWITCHYARD_ZDOTDIR
    unset SWITCHYARD_ZDOTDIR
else
    unset ZDOTDIR
fi

if [[ -o interactive && -z ${__switchyard_on-} ]]; then
    typeset -g __switchyard_on=1

    # $PWD as the path of a URL.
    __switchyard_url() {
        emulate -L zsh -o no_multibyte
        local at char
        for ((at = 1; at <= $#PWD; at++)); do
            char=$PWD[at]
            case $char in
                [A-Za-z0-9/._~-]) printf '%s' $char ;;
                *) printf '%%%02X' "'$char" ;;
            esac
        done
    }

    # Before every prompt: how the command ended, where we are, a prompt begins. To the terminal itself: what is written
    # before the first prompt may be caught, to be shown below it.
    __switchyard_precmd() {
        local exit_status=$?
        emulate -L zsh
        printf '\e]133;D;%s\a\e]7;file://%s%s\a\e]133;A\a' $exit_status "$HOST" "$(__switchyard_url)" >$TTY
        __switchyard_hooks
    }

    # Before a command runs. One that begins with a blank stays unnamed.
    __switchyard_preexec() {
        emulate -L zsh
        local command=$1
        if [[ $command == ' '* ]]; then
            command=
        fi
        command=${command//\\/\\\\}
        command=${command//;/\\x3b}
        command=${command//$'\n'/\\x0a}
        command=${command//[[:cntrl:]]/ }
        printf '\e]633;E;%s\a\e]133;C\a' "$command" >$TTY
        __switchyard_hooks
    }

    # Puts in place what marks prompts and commands, each by the other, where somebody's files have set the hooks anew.
    __switchyard_hooks() {
        if [[ " ${precmd_functions[*]} " != *' __switchyard_precmd '* ]]; then
            precmd_functions=(__switchyard_precmd $precmd_functions)
        fi
        if [[ " ${preexec_functions[*]} " != *' __switchyard_preexec '* ]]; then
            preexec_functions+=(__switchyard_preexec)
        fi
    }

    __switchyard_hooks
fi

if [[ -r ${ZDOTDIR:-$HOME}/.zshenv ]]; then
    source ${ZDOTDIR:-$HOME}/.zshenv
fi
