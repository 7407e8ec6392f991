//! Reads the theme files of other terminals. Which of them a file is for is seen from what it says, not from its name.
//! The only file that names plist; YAML is read with the crate that flows are read with.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ThemeColours;
use crate::colour::Colour;

/// The sixteen colours as Windows Terminal calls them.
const WINDOWS: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "purple",
    "cyan",
    "white",
    "brightBlack",
    "brightRed",
    "brightGreen",
    "brightYellow",
    "brightBlue",
    "brightPurple",
    "brightCyan",
    "brightWhite",
];

/// Which of the base16 colours each of the sixteen is.
const BASE16: [&str; 16] = [
    "base00", "base08", "base0B", "base0A", "base0D", "base0E", "base0C", "base05", //
    "base03", "base08", "base0B", "base0A", "base0D", "base0E", "base0C", "base07",
];

/// The same of base24, which has bright ones of their own.
const BASE24: [&str; 16] = [
    "base00", "base08", "base0B", "base0A", "base0D", "base0E", "base0C", "base05", //
    "base03", "base12", "base14", "base13", "base16", "base17", "base15", "base07",
];

/// The themes that a file holds, of which there is at least one.
///
/// # Errors
///
/// What is wrong, with the line or the name of the field.
pub(super) fn read(file: &str, text: &str) -> Result<Vec<ThemeColours>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let begins = text.trim_start();
    if begins.starts_with('<') {
        return iterm(&name_of(file), text).map(|theme| vec![theme]);
    }
    if begins.starts_with(['{', '[']) || begins.starts_with("//") {
        return windows_terminal(&name_of(file), text);
    }
    let mut lines = text.lines().map(str::trim);
    if lines.clone().any(|line| line.contains("base00")) {
        return base16(&name_of(file), text).map(|theme| vec![theme]);
    }
    let is_ghostty = |line: &str| {
        let key = line.split_once('=').map(|(key, _)| key.trim());
        matches!(key, Some("palette" | "background" | "foreground"))
    };
    if lines.any(is_ghostty) {
        return ghostty(&name_of(file), text).map(|theme| vec![theme]);
    }
    Err(
        "it is no theme of iTerm2 (XML), Windows Terminal (JSON), base16 (YAML) or Ghostty (`palette = 0=#1d2027`)"
            .to_owned(),
    )
}

/// What a theme is called that does not say so itself.
fn name_of(file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let known = [
        ".itermcolors",
        ".json",
        ".jsonc",
        ".yaml",
        ".yml",
        ".conf",
        ".ghostty",
        ".txt",
    ];
    let name = known
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    let name = name.trim();
    if name.is_empty() { "Imported" } else { name }.to_owned()
}

/// Sixteen colours, each found by its place.
fn sixteen(mut find: impl FnMut(usize) -> Result<Colour, String>) -> Result<[Colour; 16], String> {
    let mut all = [Colour([0; 3]); 16];
    for (place, colour) in all.iter_mut().enumerate() {
        *colour = find(place)?;
    }
    Ok(all)
}

// ---- iTerm2

fn iterm(name: &str, text: &str) -> Result<ThemeColours, String> {
    let value = plist::Value::from_reader_xml(text.as_bytes())
        .map_err(|error| plist_mistake(text, &error.to_string()))?;
    let colours = value
        .as_dictionary()
        .ok_or("it is XML, but holds no dictionary of colours as iTerm2 writes it")?;
    let wanted = |key: &str| iterm_colour(colours, key)?.ok_or(format!("there is no `{key}`"));
    Ok(ThemeColours {
        name: name.to_owned(),
        foreground: wanted("Foreground Color")?,
        background: wanted("Background Color")?,
        cursor: iterm_colour(colours, "Cursor Color")?,
        cursor_text: iterm_colour(colours, "Cursor Text Color")?,
        selection: iterm_colour(colours, "Selection Color")?,
        ansi: sixteen(|place| wanted(&format!("Ansi {place} Color")))?,
    })
}

fn iterm_colour(colours: &plist::Dictionary, key: &str) -> Result<Option<Colour>, String> {
    let Some(value) = colours.get(key) else {
        return Ok(None);
    };
    let parts = value
        .as_dictionary()
        .ok_or_else(|| format!("`{key}` is no dictionary of components"))?;
    let part = |component: &str| {
        let value = parts
            .get(component)
            .ok_or_else(|| format!("`{key}` has no `{component}`"))?;
        let number = value
            .as_real()
            .or_else(|| value.as_signed_integer().map(|whole| whole as f64));
        number
            .filter(|number| (0.0..=1.0).contains(number))
            .ok_or_else(|| format!("`{component}` of `{key}` must be a number from 0 to 1"))
    };
    let rgb = [
        part("Red Component")?,
        part("Green Component")?,
        part("Blue Component")?,
    ];
    let space = parts.get("Color Space").and_then(plist::Value::as_string);
    let rgb = if space == Some("P3") {
        p3_to_srgb(rgb)
    } else {
        rgb
    };
    let byte = |part: f64| (part.clamp(0.0, 1.0) * 255.0).round() as u8;
    Ok(Some(Colour(rgb.map(byte))))
}

/// Display P3 has the curve of sRGB and other primaries.
fn p3_to_srgb(rgb: [f64; 3]) -> [f64; 3] {
    const TO_SRGB: [[f64; 3]; 3] = [
        [1.224_94, -0.224_94, 0.0],
        [-0.042_06, 1.042_06, 0.0],
        [-0.019_64, -0.078_64, 1.098_28],
    ];
    let linear = rgb.map(|part| {
        if part <= 0.040_45 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    TO_SRGB.map(|row| {
        let part: f64 = row.iter().zip(linear).map(|(by, part)| by * part).sum();
        if part <= 0.003_130_8 {
            12.92 * part
        } else {
            1.055 * part.powf(1.0 / 2.4) - 0.055
        }
    })
}

/// The library says where in bytes; people count lines.
fn plist_mistake(text: &str, error: &str) -> String {
    let offset = error
        .rsplit_once("offset ")
        .and_then(|(_, rest)| rest.trim_end_matches(')').parse::<usize>().ok());
    match offset {
        Some(offset) => {
            let before = &text.as_bytes()[..offset.min(text.len())];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            format!("line {line}: it is no property list in XML")
        }
        None => "it is no property list in XML: it ends too early".to_owned(),
    }
}

// ---- Windows Terminal

fn windows_terminal(name: &str, text: &str) -> Result<Vec<ThemeColours>, String> {
    let value = jsonc_parser::parse_to_serde_value(text, &Default::default());
    let value: Value = value.map_err(|error| error.to_string())?;
    let (schemes, at) = match value {
        Value::Object(mut all) if all.contains_key("schemes") => {
            (all.remove("schemes").unwrap_or_default(), "schemes")
        }
        Value::Object(one) => return Ok(vec![windows_scheme(name, &one, "")?]),
        several => (several, ""),
    };
    let Value::Array(schemes) = schemes else {
        return Err("`schemes` is no list".to_owned());
    };
    if schemes.is_empty() {
        return Err(format!(
            "{} holds no scheme",
            if at.is_empty() { "it" } else { "`schemes`" }
        ));
    }
    let scheme = |(place, scheme): (usize, &Value)| match scheme {
        Value::Object(scheme) => windows_scheme(name, scheme, &format!("{at}[{place}].")),
        _ => Err(format!("`{at}[{place}]` is no scheme")),
    };
    schemes.iter().enumerate().map(scheme).collect()
}

fn windows_scheme(
    name: &str,
    scheme: &Map<String, Value>,
    path: &str,
) -> Result<ThemeColours, String> {
    let colour = |key: &str| match scheme.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Colour::parse(text)
            .map(Some)
            .map_err(|what| format!("`{path}{key}`: {what}")),
        Some(_) => Err(format!("`{path}{key}` must be a colour like `#1d2027`")),
    };
    let wanted = |key: &str| colour(key)?.ok_or(format!("there is no `{path}{key}`"));
    let own = scheme.get("name").and_then(Value::as_str).map(str::trim);
    Ok(ThemeColours {
        name: own.filter(|own| !own.is_empty()).unwrap_or(name).to_owned(),
        foreground: wanted("foreground")?,
        background: wanted("background")?,
        cursor: colour("cursorColor")?,
        cursor_text: None,
        selection: colour("selectionBackground")?,
        ansi: sixteen(|place| wanted(WINDOWS[place]))?,
    })
}

// ---- base16

/// Both forms: the newer one with a palette, the older one with the colours beside the name.
#[derive(Debug, Deserialize)]
struct Base16 {
    name: Option<String>,
    scheme: Option<String>,
    palette: Option<std::collections::BTreeMap<String, Value>>,
    #[serde(flatten)]
    beside: std::collections::BTreeMap<String, Value>,
}

fn base16(name: &str, text: &str) -> Result<ThemeColours, String> {
    let options = serde_saphyr::options! { with_snippet: false };
    let file: Base16 =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| yaml_mistake(&error))?;
    let (palette, path) = match &file.palette {
        Some(palette) => (palette, "palette."),
        None => (&file.beside, ""),
    };
    // A colour without quotes and letters is a number to YAML, and may have lost zeros at its beginning.
    let colour = |key: &str| match palette.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Colour::parse(text)
            .map(Some)
            .map_err(|what| format!("`{path}{key}`: {what}")),
        Some(other) => Err(format!(
            "`{path}{key}` is {other}, but must be a colour between quotes, like \"1d2027\""
        )),
    };
    let wanted = |key: &str| colour(key)?.ok_or(format!("there is no `{path}{key}`"));
    let places = if palette.contains_key("base17") {
        BASE24
    } else {
        BASE16
    };
    let own = file.name.or(file.scheme);
    let own = own.as_deref().map(str::trim).filter(|own| !own.is_empty());
    Ok(ThemeColours {
        name: own.unwrap_or(name).to_owned(),
        foreground: wanted("base05")?,
        background: wanted("base00")?,
        cursor: colour("base05")?,
        cursor_text: None,
        selection: colour("base02")?,
        ansi: sixteen(|place| wanted(places[place]))?,
    })
}

/// What is wrong with a YAML file, with its line.
pub(crate) fn yaml_mistake(error: &serde_saphyr::Error) -> String {
    let what = error.to_string();
    let what = what.lines().next().unwrap_or_default();
    match error.location() {
        Some(at) => format!("line {}: {what}", at.line()),
        None => what.to_owned(),
    }
}

// ---- Ghostty

fn ghostty(name: &str, text: &str) -> Result<ThemeColours, String> {
    let mut palette = [None; 16];
    let (mut foreground, mut background) = (None, None);
    let (mut cursor, mut cursor_text, mut selection) = (None, None, None);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |what: String| format!("line {number}: {what}");
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| wrong("there is no `=` between a name and its value".to_owned()))?;
        let value = value.trim().trim_matches('"');
        let place = match key.trim() {
            "palette" => {
                let (place, colour) = value.split_once('=').ok_or_else(|| {
                    wrong(format!(
                        "`palette` is `{value}`, but must be like `0=#1d2027`"
                    ))
                })?;
                let place: usize = place
                    .trim()
                    .parse()
                    .ok()
                    .filter(|place| *place < 256)
                    .ok_or_else(|| {
                        wrong(format!(
                            "`palette` has the place `{place}`, but there are 0 to 255"
                        ))
                    })?;
                let colour =
                    Colour::parse(colour).map_err(|what| wrong(format!("`palette`: {what}")))?;
                // What is beyond the sixteen is the same in every terminal.
                if let Some(slot) = palette.get_mut(place) {
                    *slot = Some(colour);
                }
                continue;
            }
            "foreground" => &mut foreground,
            "background" => &mut background,
            "cursor-color" => &mut cursor,
            "cursor-text" => &mut cursor_text,
            "selection-background" => &mut selection,
            // A theme may set anything; the rest is no colour of ours.
            _ => continue,
        };
        // As the cell is: what we do without being told.
        if matches!(value, "" | "cell-foreground" | "cell-background") {
            continue;
        }
        let colour = Colour::parse(value);
        *place = Some(colour.map_err(|what| wrong(format!("`{}`: {what}", key.trim())))?);
    }
    Ok(ThemeColours {
        name: name.to_owned(),
        foreground: foreground.ok_or("there is no `foreground`")?,
        background: background.ok_or("there is no `background`")?,
        cursor,
        cursor_text,
        selection,
        ansi: sixteen(|place| {
            palette[place].ok_or_else(|| format!("there is no `palette = {place}=…`"))
        })?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITERM: &str = include_str!("samples/harbour.itermcolors");
    const WINDOWS_TERMINAL: &str = include_str!("samples/harbour.json");
    const BASE16_YAML: &str = include_str!("samples/harbour.yaml");
    const GHOSTTY: &str = include_str!("samples/harbour.ghostty");

    fn told(theme: &ThemeColours) -> String {
        let ThemeColours {
            name,
            foreground,
            background,
            cursor,
            selection,
            ansi,
            ..
        } = theme;
        let optional = |colour: &Option<Colour>| colour.map_or("none".to_owned(), String::from);
        let ansi: Vec<String> = ansi.iter().map(Colour::to_string).collect();
        format!(
            "{name}: {foreground} on {background}, cursor {}, selection {}\n{}",
            optional(cursor),
            optional(selection),
            ansi.join(" ")
        )
    }

    fn one(file: &str, text: &str) -> String {
        match read(file, text) {
            Ok(themes) => themes.iter().map(told).collect::<Vec<_>>().join("\n"),
            Err(what) => what,
        }
    }

    #[test]
    fn the_same_colours_come_from_every_form() {
        let ghostty = one("themes/harbour", GHOSTTY);
        insta::assert_snapshot!(ghostty, @r#"
        harbour: #e8e2d6 on #1b2230, cursor #f2c14e, selection #35455e
        #2b3446 #e5747e #93c48b #e0b860 #7fb2ee #c493e0 #6fc3c6 #c9c6bd #7c879b #f3959c #b1dba9 #f0d089 #a4cbf8 #d9b3ef #97dcde #f7f4ec
        "#);
        assert_eq!(one("harbour.itermcolors", ITERM), ghostty);
        assert_eq!(one("any.json", WINDOWS_TERMINAL), ghostty);
        // base16 has no bright colours and no cursor of their own.
        insta::assert_snapshot!(one("any.yaml", BASE16_YAML), @r#"
        harbour: #e8e2d6 on #1b2230, cursor #e8e2d6, selection #35455e
        #1b2230 #e5747e #93c48b #e0b860 #7fb2ee #c493e0 #6fc3c6 #e8e2d6 #7c879b #e5747e #93c48b #e0b860 #7fb2ee #c493e0 #6fc3c6 #f7f4ec
        "#);
    }

    #[test]
    fn the_older_form_of_base16_and_its_numbers_are_understood() {
        let palette = BASE16_YAML
            .lines()
            .filter(|line| line.trim_start().starts_with("base"))
            .map(str::trim)
            .collect::<Vec<_>>()
            .join("\n");
        let old = format!("scheme: \"harbour\"\nauthor: nobody\n{palette}\n");
        assert_eq!(one("x", &old), one("x", BASE16_YAML));
        let number = old.replacen("\"#1b2230\"", "101010", 1);
        insta::assert_snapshot!(one("x", &number), @r#"`base00` is 101010, but must be a colour between quotes, like "1d2027""#);
    }

    #[test]
    fn several_schemes_and_whole_settings_are_taken_over() {
        let two = format!(
            "// mine\n{{ \"schemes\": [{WINDOWS_TERMINAL}, {}] }}",
            WINDOWS_TERMINAL.replace("harbour", "other")
        );
        let names: Vec<String> = read("settings.json", &two)
            .expect("read")
            .into_iter()
            .map(|theme| theme.name)
            .collect();
        assert_eq!(names, ["harbour", "other"]);
    }

    #[test]
    fn wide_colours_become_those_of_ordinary_screens() {
        assert_eq!(
            p3_to_srgb([1.0; 3]).map(|part| (part * 255.0).round()),
            [255.0; 3]
        );
        let [red, green, blue] = p3_to_srgb([0.5, 0.4, 0.3]);
        assert!(
            red > 0.5 && green < 0.4 && blue < 0.3,
            "{red} {green} {blue}"
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_or_field() {
        let told = [
            one("x", "hello"),
            one("x", "<plist><dict>"),
            one(
                "x",
                "<?xml version=\"1.0\"?>\n<plist version=\"1.0\">\n<dict>\n<key>a</kex>\n",
            ),
            one("x", &ITERM.replace("Ansi 3 Color", "Ansi 33 Color")),
            one("x", &ITERM.replacen("Red Component", "Read Component", 1)),
            one("x", &ITERM.replacen("<real>", "<real>7", 1)),
            one("x", "<plist version=\"1.0\"><array/></plist>"),
            one("x", "{\n  \"name\": \"a\",\n}}"),
            one(
                "x",
                &WINDOWS_TERMINAL.replace("\"brightPurple\"", "\"brightMagenta\""),
            ),
            one("x", &WINDOWS_TERMINAL.replacen("#1b2230", "navy", 1)),
            one("x", "{ \"schemes\": [{}] }"),
            one("x", "{ \"schemes\": [] }"),
            one("x", "[3]"),
            one("x", &BASE16_YAML.replace("base0D", "baseDD")),
            one("x", &BASE16_YAML.replacen("#1b2230", "#1b22", 1)),
            one("x", "base00: \"1\n"),
            one("x", &GHOSTTY.replace("palette = 3=", "palette = 300=")),
            one("x", &GHOSTTY.replace("palette = 3=", "palette = 17=")),
            one("x", &GHOSTTY.replace("foreground = ", "foreground = blue")),
            one("x", &format!("{GHOSTTY}\nhello")),
            one("x", "background = #000000"),
        ];
        insta::assert_snapshot!(told.join("\n"), @r#"
        it is no theme of iTerm2 (XML), Windows Terminal (JSON), base16 (YAML) or Ghostty (`palette = 0=#1d2027`)
        it is no property list in XML: it ends too early
        line 4: it is no property list in XML
        there is no `Ansi 3 Color`
        `Ansi 0 Color` has no `Red Component`
        `Red Component` of `Ansi 0 Color` must be a number from 0 to 1
        it is XML, but holds no dictionary of colours as iTerm2 writes it
        Text cannot contain more than one JSON value on line 3 column 2
        there is no `brightPurple`
        `background`: `navy` is no colour; one is written like `#1d2027`
        there is no `schemes[0].foreground`
        `schemes` holds no scheme
        `[0]` is no scheme
        there is no `palette.base0D`
        `palette.base00`: `#1b22` is no colour; one is written like `#1d2027`
        line 1: unclosed quote at line 1, column 9
        line 5: `palette` has the place `300`, but there are 0 to 255
        there is no `palette = 3=…`
        line 19: `foreground`: `blue#e8e2d6` is no colour; one is written like `#1d2027`
        line 25: there is no `=` between a name and its value
        there is no `foreground`
        "#);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for text in [ITERM, WINDOWS_TERMINAL, BASE16_YAML, GHOSTTY] {
            for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
                let _ = read("x", &text[..end]);
            }
        }
    }
}
