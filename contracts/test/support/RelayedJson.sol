// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "../Vm.sol";
import {Relay, RelayedCall} from "./RelayedCall.sol";

/// @title A relayed call as the JSON that wallets are given (`eth_signTypedData_v4`)
library RelayedJson {
    string private constant _DOMAIN = '"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},'
        '{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}]';
    string private constant _KEY = '{"name":"key","type":"address"},{"name":"issuer","type":"uint32"},';
    string private constant _ROOT = '{"name":"root","type":"bytes32"},';
    string private constant _WORDS = '{"name":"list","type":"uint32"},{"name":"words","type":"uint16[]"},'
        '{"name":"masks","type":"uint256[]"},';
    string private constant _REASON = '{"name":"reason","type":"uint8"},{"name":"nonce","type":"uint256"},';
    string private constant _SIZE = '{"name":"size","type":"uint32"},';
    string private constant _DEADLINE = '{"name":"deadline","type":"uint40"}';

    function toJson(RelayedCall memory call, uint256 chainId, address registry) internal pure returns (string memory) {
        string memory name = ["Anchor", "Revoke", "Suspend", "Reinstate", "RevokeBatch"][uint256(call.relay)];
        string memory domain = string.concat(
            '{"name":"credanchor","version":"1","chainId":',
            vm.toString(chainId),
            ',"verifyingContract":"',
            vm.toString(registry),
            '"}'
        );
        string memory types = string.concat("{", _DOMAIN, ',"', name, '":[', _types(call.relay), "]}");
        return string.concat(
            '{"types":', types, ',"primaryType":"', name, '","domain":', domain, ',"message":', _message(call), "}"
        );
    }

    function _types(Relay relay) private pure returns (string memory) {
        if (relay == Relay.ANCHOR) return string.concat(_KEY, _ROOT, _SIZE, _DEADLINE);
        return string.concat(_KEY, relay == Relay.REVOKE_BATCH ? _ROOT : _WORDS, _REASON, _DEADLINE);
    }

    /// @dev All members of all calls: those that the type does not have are not signed.
    function _message(RelayedCall memory call) private pure returns (string memory json) {
        json = string.concat('{"key":"', vm.toString(call.key), '","root":"', vm.toString(call.root), '"');
        json = string.concat(json, _member("issuer", call.issuer), _member("list", call.list));
        json = string.concat(json, _member("size", call.size), _member("reason", call.reason));
        json = string.concat(json, _member("nonce", call.nonce), _member("deadline", call.deadline));
        uint256[] memory words = new uint256[](call.words.length);
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = call.words[i];
        }
        return string.concat(json, ',"words":', _array(words), ',"masks":', _array(call.masks), "}");
    }

    function _member(string memory name, uint256 value) private pure returns (string memory) {
        return string.concat(',"', name, '":"', vm.toString(value), '"');
    }

    function _array(uint256[] memory values) private pure returns (string memory json) {
        for (uint256 i = 0; i < values.length; ++i) {
            json = string.concat(json, i == 0 ? "" : ",", '"', vm.toString(values[i]), '"');
        }
        return string.concat("[", json, "]");
    }
}
